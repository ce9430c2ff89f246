#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include <ATen/ATen.h>

#include "reelyard/spec/model_spec.hpp"
#include "reelyard/store/weight_set.hpp"

#include "hashed_weights.hpp"
#include "wan/tensors.hpp"

namespace reelyard::models::wan::test {

using Renames = std::vector<std::pair<std::string, std::string>>;

/// `name` with the first rename that fits it.
inline std::string renamed(std::string name, const Renames& renames) {
    for (const auto& [from, to] : renames) {
        const std::size_t at = name.find(from);
        if (at != std::string::npos) {
            return name.replace(at, from.size(), to);
        }
    }
    return name;
}

/// The name of a tensor of the transformer in the original checkpoint.
inline std::string official_transformer_name(const std::string& name) {
    const std::string inner =
        renamed(name,
                {{".attn1.", ".self_attn."},
                 {".attn2.", ".cross_attn."},
                 {"condition_embedder.text_embedder.linear_1", "text_embedding.0"},
                 {"condition_embedder.text_embedder.linear_2", "text_embedding.2"},
                 {"condition_embedder.time_embedder.linear_1", "time_embedding.0"},
                 {"condition_embedder.time_embedder.linear_2", "time_embedding.2"},
                 {"condition_embedder.time_proj", "time_projection.1"},
                 {".norm2.", ".norm3."},
                 {".ffn.net.0.proj.", ".ffn.0."},
                 {".ffn.net.2.", ".ffn.2."},
                 {"proj_out.", "head.head."},
                 {".scale_shift_table", ".modulation"},
                 {"scale_shift_table", "head.modulation"}});
    return renamed(
        inner, {{".to_out.0.", ".o."}, {".to_q.", ".q."}, {".to_k.", ".k."}, {".to_v.", ".v."}});
}

/// The name of a tensor of the text encoder in the original checkpoint.
inline std::string official_text_encoder_name(const std::string& name) {
    const std::string inner = renamed(name,
                                      {{"shared.weight", "token_embedding.weight"},
                                       {"encoder.final_layer_norm.", "norm."},
                                       {"encoder.block.", "blocks."}});
    return renamed(
        inner,
        {{".layer.0.layer_norm.", ".norm1."},
         {".layer.1.layer_norm.", ".norm2."},
         {".layer.0.SelfAttention.relative_attention_bias.", ".pos_embedding.embedding."},
         {".layer.0.SelfAttention.", ".attn."},
         {".layer.1.DenseReluDense.wi_0.", ".ffn.gate.0."},
         {".layer.1.DenseReluDense.wi_1.", ".ffn.fc1."},
         {".layer.1.DenseReluDense.wo.", ".ffn.fc2."}});
}

/// The weights of the golden vectors: numbered by the sorted names of the original checkpoint,
/// gains of norms raised by 1.
inline std::map<std::string, at::Tensor> golden_weights(
    const ComponentSpec& component,
    const std::function<std::string(const std::string&)>& official_name) {
    std::map<std::string, TensorSpec> by_official_name;
    for (const TensorSpec& spec : component.tensors) {
        by_official_name[official_name(spec.name)] = spec;
    }
    std::map<std::string, at::Tensor> weights;
    std::uint32_t index = 0;
    for (const auto& [name, spec] : by_official_name) {
        at::Tensor values = 0.5 * reelyard::test::hashed(index++, spec.shape);
        if (name.find("norm") != std::string::npos && name.ends_with("weight")) {
            values += 1;
        }
        weights[spec.name] = values.to(at::kFloat);
    }
    return weights;
}

}  // namespace reelyard::models::wan::test
