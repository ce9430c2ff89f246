#pragma once

#include <cstdint>
#include <functional>

#include <ATen/core/Tensor.h>

namespace reelyard::models {

/// Spatial tiling: bounds the memory of encoding and decoding large videos.
struct TilingOptions {
    bool enabled = false;
    std::int64_t tile_size = 256;    ///< pixels
    std::int64_t tile_stride = 192;  ///< pixels; the overlap is blended
};

/// Video to latent and back (the VAE), by all ranks of a group together: encode() and decode() are
/// collective, and all ranks give the same input.
class VideoCodec {
public:
    /// Takes frames [B, 3, F, H, W] float32 in [-1, 1], in order, as they become ready. \returns
    /// whether to go on. Does not throw where there are several ranks: the others would wait.
    using FrameConsumer = std::function<bool(const at::Tensor& frames)>;

    VideoCodec() = default;
    VideoCodec(const VideoCodec&) = delete;
    VideoCodec& operator=(const VideoCodec&) = delete;
    virtual ~VideoCodec() = default;

    /// \param video [B, 3, F, H, W] float32 in [-1, 1], F = 4k + 1
    /// \returns on all ranks the mean of the latent distribution [B, C, f, h, w] float32, not
    /// normalised
    [[nodiscard]] virtual at::Tensor encode(const at::Tensor& video,
                                            const TilingOptions& tiling) = 0;

    /// \param latent [B, C, f, h, w] float32, not normalised
    /// \param consume called on the first rank only; when it does not want to go on, all ranks stop
    virtual void decode(const at::Tensor& latent,
                        const TilingOptions& tiling,
                        const FrameConsumer& consume) = 0;

    /// From the transformer's latent space to the codec's: z * std + mean per channel.
    [[nodiscard]] virtual at::Tensor denormalise(const at::Tensor& latent) const = 0;
    /// The inverse of denormalise().
    [[nodiscard]] virtual at::Tensor normalise(const at::Tensor& latent) const = 0;
};

}  // namespace reelyard::models
