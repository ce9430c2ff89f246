#include "wan/evaluations.hpp"

#include <ATen/ATen.h>

#include "reelyard/base/error.hpp"
#include "reelyard/spec/tensor_spec.hpp"
#include "reelyard/text/prompt_cleaning.hpp"
#include "reelyard/text/tokenizer.hpp"

#include "wan/config.hpp"
#include "wan/text/text_encoder.hpp"
#include "wan/transformer/transformer.hpp"
#include "wan/vae/codec.hpp"

namespace reelyard::models::wan {
namespace {

/// The input `name` with `dimensions` axes; `axes` names them for the message.
at::Tensor input(const EvaluationInput& from,
                 const std::string& name,
                 std::int64_t dimensions,
                 const char* axes) {
    const auto found = from.tensors.find(name);
    require(found != from.tensors.end(),
            ErrorKind::input,
            "the input has no tensor '{}' (expected {})",
            name,
            axes);
    require(found->second.dim() == dimensions,
            ErrorKind::input,
            "tensor '{}' has shape {} (expected {})",
            name,
            to_string(found->second.sizes().vec()),
            axes);
    return found->second;
}

/// Two inputs that share their batch.
void require_same_batch(const at::Tensor& first, const at::Tensor& second, const char* names) {
    require(first.size(0) == second.size(0),
            ErrorKind::input,
            "tensors {}: batches of {} and {} (expected the same)",
            names,
            first.size(0),
            second.size(0));
}

at::Tensor as_output(const at::Tensor& tensor) {
    return tensor.to(at::kCPU, at::kFloat).contiguous();
}

NamedTensors tokenize(const EvaluationInput& from) {
    const auto tokenizer = text::make_sentencepiece_tokenizer(from.checkpoint);
    const text::Tokens tokens = tokenizer->encode(text::clean_prompt(from.text), context_length);
    return {{"input_ids", at::tensor(tokens.ids, at::kLong).unsqueeze(0)},
            {"attention_mask", at::tensor(tokens.mask, at::kLong).unsqueeze(0)}};
}

NamedTensors encode_text(const EvaluationInput& from) {
    const TextEncoder encoder(
        text_encoder_config(from.checkpoint), from.weights, from.group, from.shards);
    const at::Tensor ids = input(from, "input_ids", 2, "[B, L] int64").to(at::kLong);
    const at::Tensor mask = input(from, "attention_mask", 2, "[B, L] int64").to(at::kLong);
    require(ids.sizes() == mask.sizes(),
            ErrorKind::input,
            "tensor 'attention_mask' has shape {} (expected {}, as 'input_ids')",
            to_string(mask.sizes().vec()),
            to_string(ids.sizes().vec()));
    return {{"last_hidden_state", as_output(encoder.encode(ids, mask))}};
}

NamedTensors run_transformer(const EvaluationInput& from) {
    WanTransformer transformer(
        transformer_config(from.checkpoint), from.weights, from.compute, from.group, from.shards);
    const at::Tensor latent = input(from, "latent", 5, "[B, C, f, h, w]");
    const at::Tensor timestep = input(from, "timestep", 1, "[B]");
    const at::Tensor context = input(from, "context", 3, "[B, L, D]");
    require_same_batch(latent, timestep, "'latent' and 'timestep'");
    require_same_batch(latent, context, "'latent' and 'context'");
    // The context comes as the transformer is to see it: padded, or not at all.
    const Conditioning prepared = transformer.prepare(
        {.tensors = {{"context", context}, {"context_rows", at::tensor(context.size(1))}}});
    return {{"velocity",
             as_output(
                 transformer.velocity(latent.to(at::kFloat), timestep.to(at::kFloat), prepared))}};
}

NamedTensors encode_video(const EvaluationInput& from) {
    const auto codec = make_vae_codec(parse_vae_config(from.checkpoint), from.weights, from.group);
    const at::Tensor video = input(from, "video", 5, "[B, 3, F, H, W]");
    return {{"latent", as_output(codec->encode(video.to(at::kFloat), from.tiling))}};
}

NamedTensors decode_video(const EvaluationInput& from) {
    const auto codec = make_vae_codec(parse_vae_config(from.checkpoint), from.weights, from.group);
    const at::Tensor latent = input(from, "latent", 5, "[B, C, f, h, w]");
    std::vector<at::Tensor> chunks;
    codec->decode(latent.to(at::kFloat), from.tiling, [&](const at::Tensor& frames) {
        chunks.push_back(as_output(frames));
        return true;
    });
    return chunks.empty() ? NamedTensors{} : NamedTensors{{"video", at::cat(chunks, 2)}};
}

}  // namespace

bool needed_for_decoding(const std::string& tensor) {
    return tensor.rfind("decoder.", 0) == 0 || tensor.rfind("post_quant_conv.", 0) == 0;
}

std::vector<Evaluation> evaluations() {
    const auto needed_for_encoding = [](const std::string& tensor) {
        return !needed_for_decoding(tensor);
    };
    return {
        {.name = "tokenizer", .component = "", .needs = {}, .run = tokenize},
        {.name = "text_encoder", .component = "text_encoder", .needs = {}, .run = encode_text},
        {.name = "transformer", .component = "transformer", .needs = {}, .run = run_transformer},
        {.name = "vae_encode",
         .component = "vae",
         .needs = needed_for_encoding,
         .run = encode_video},
        {.name = "vae_decode",
         .component = "vae",
         .needs = needed_for_decoding,
         .run = decode_video},
    };
}

}  // namespace reelyard::models::wan
