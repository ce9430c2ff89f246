#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "reelyard/spec/tensor_spec.hpp"
#include "reelyard/spec/video_size.hpp"

namespace reelyard {

/// One part of a model that has weights, e.g. the transformer.
struct ComponentSpec {
    std::string name;        ///< folder in the checkpoint and group in the store: "transformer",
                             ///< "text_encoder", "vae"
    std::string class_name;  ///< "WanTransformer3DModel"
    std::vector<TensorSpec> tensors;
    /// Names that mean the same tensor ("encoder.embed_tokens.weight" for "shared.weight"); a
    /// checkpoint may hold either or both. Pairs of (other name, name in `tensors`).
    std::vector<std::pair<std::string, std::string>> aliases = {};
};

/// What a prompt gets when neither it nor the job says otherwise.
struct GenerationDefaults {
    std::string negative_prompt;
    std::int64_t width = 832;
    std::int64_t height = 480;
    std::int64_t frames = 81;
    std::int64_t steps = 50;
    double guidance_scale = 5.0;
    double flow_shift = 5.0;
};

/// A model as numbers: all that can be said of it without its weights.
struct ModelSpec {
    std::string family;  ///< "wan"
    std::vector<ComponentSpec> components;
    GenerationDefaults defaults;
    double frames_per_second = 16.0;
    std::int64_t latent_channels = 16;
    std::int64_t temporal_compression = 4;  ///< frames must be this times k, plus 1
    std::int64_t spatial_compression = 8;   ///< pixels per latent pixel
    std::int64_t size_multiple =
        16;  ///< width and height must be multiples of it (compression times patch)
    std::int64_t attention_heads = 1;   ///< of the transformer's self attention
    std::int64_t head_width = 1;        ///< numbers of a head
    std::int64_t layers = 1;            ///< blocks of the transformer
    std::int64_t ffn_width = 1;         ///< inner width of a block's feed-forward network
    std::int64_t text_rows = 512;       ///< of a text, at most, that the cross attention sees
    std::int64_t latent_per_token = 4;  ///< latent pixels (frames x rows x columns) in a patch
    std::int64_t max_grid = 1024;  ///< positions per axis that the rotary tables reach, in patches

    /// \throws Error (internal) when there is no such component
    [[nodiscard]] const ComponentSpec& component(const std::string& name) const;

    /// Length of the sequence that the transformer attends over.
    [[nodiscard]] std::int64_t tokens_of(const VideoSize& size) const;
};

}  // namespace reelyard
