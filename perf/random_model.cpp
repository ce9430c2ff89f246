#include "random_model.hpp"

#include <cmath>

#include <ATen/ATen.h>

namespace reelyard::perf {
namespace {

constexpr const char* model_index = R"({
 "_class_name": "WanPipeline",
 "scheduler": ["diffusers", "UniPCMultistepScheduler"], "text_encoder": ["transformers", "UMT5EncoderModel"],
 "tokenizer": ["transformers", "T5Tokenizer"], "transformer": ["diffusers", "WanTransformer3DModel"],
 "vae": ["diffusers", "AutoencoderKLWan"]})";

constexpr const char* transformer_config = R"({
 "_class_name": "WanTransformer3DModel", "num_attention_heads": 12, "attention_head_dim": 64, "ffn_dim": 4480,
 "num_layers": 12, "in_channels": 16, "out_channels": 16, "patch_size": [1, 2, 2], "text_dim": 512, "freq_dim": 256,
 "cross_attn_norm": true, "qk_norm": "rms_norm_across_heads", "eps": 1e-06, "rope_max_seq_len": 1024,
 "added_kv_proj_dim": null, "image_dim": null, "pos_embed_seq_len": null})";

constexpr const char* text_encoder_config = R"({
 "architectures": ["UMT5EncoderModel"], "model_type": "umt5", "vocab_size": 512, "d_model": 512, "d_kv": 64,
 "d_ff": 1024, "num_layers": 8, "num_heads": 8, "relative_attention_num_buckets": 32,
 "relative_attention_max_distance": 128, "layer_norm_epsilon": 1e-06, "feed_forward_proj": "gated-gelu",
 "dense_act_fn": "gelu_new", "is_gated_act": true})";

constexpr const char* vae_config = R"({
 "_class_name": "AutoencoderKLWan", "base_dim": 96, "z_dim": 16, "dim_mult": [1, 2, 4, 4], "num_res_blocks": 2,
 "attn_scales": [], "temperal_downsample": [false, true, true], "dropout": 0.0,
 "latents_mean": [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
 "latents_std": [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]})";

constexpr const char* scheduler_config = R"({
 "_class_name": "UniPCMultistepScheduler", "flow_shift": 3.0, "use_flow_sigmas": true,
 "prediction_type": "flow_prediction", "num_train_timesteps": 1000})";

at::ScalarType scalar_type(DType dtype) {
    switch (dtype) {
        case DType::float32:
            return at::kFloat;
        case DType::float16:
            return at::kHalf;
        case DType::bfloat16:
            return at::kBFloat16;
    }
    return at::kFloat;
}

}  // namespace

CheckpointConfig mid_size_wan() {
    return {.files = {{"model_index.json", model_index},
                      {"transformer/config.json", transformer_config},
                      {"text_encoder/config.json", text_encoder_config},
                      {"vae/config.json", vae_config},
                      {"scheduler/scheduler_config.json", scheduler_config}}};
}

store::WeightSet random_weights(const ModelSpec& model,
                                const std::string& component,
                                DType compute) {
    std::map<std::string, at::Tensor> tensors;
    for (const TensorSpec& spec : model.component(component).tensors) {
        const auto fan_in = static_cast<double>(element_count(spec.shape)) /
                            static_cast<double>(spec.shape.empty() ? 1 : spec.shape.front());
        const DType dtype = spec.precision == Precision::compute ? compute : DType::float32;
        tensors[spec.name] = (at::randn(spec.shape) / std::sqrt(fan_in)).to(scalar_type(dtype));
    }
    return {component, std::move(tensors)};
}

}  // namespace reelyard::perf
