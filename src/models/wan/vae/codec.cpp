#include "wan/vae/codec.hpp"

#include <optional>
#include <utility>

#include <ATen/ATen.h>

#include "reelyard/base/error.hpp"
#include "reelyard/trace/span.hpp"

#include "wan/vae/network.hpp"
#include "wan/vae/tiling.hpp"

namespace reelyard::models::wan {
namespace {

constexpr std::int64_t frames_per_chunk = 4;    // that the consumer gets at once after the first
constexpr std::int64_t row_axis = 3;            // of [B, C, F, H, W]
constexpr std::int64_t most_time_halvings = 2;  // the encoder's chunks of 4 allow no more

void expect_video(const at::Tensor& x, const char* name, std::int64_t channels) {
    require(x.dim() == 5 && x.size(1) == channels && x.numel() > 0 && x.scalar_type() == at::kFloat,
            ErrorKind::input,
            "{}: has shape [{}] and type {} (expected [B, {}, F, H, W] float32)",
            name,
            fmt::join(x.sizes().begin(), x.sizes().end(), ", "),
            c10::toString(x.scalar_type()),
            channels);
}

/// [1, C, 1, 1, 1] float32 on the device of `like`.
at::Tensor per_channel(const std::vector<double>& values, const char* key, const at::Tensor& like) {
    const auto channels = static_cast<std::int64_t>(values.size());
    require(like.dim() == 5 && like.size(1) == channels,
            ErrorKind::input,
            "vae/config.json: '{}' has {} entries (expected one for each of the latent's {} "
            "channels)",
            key,
            channels,
            like.size(1));
    return at::tensor(values, at::kFloat).view({1, channels, 1, 1, 1}).to(like.device());
}

void check(const TilingOptions& tiling, std::int64_t pixels_per_latent) {
    require(tiling.tile_stride >= pixels_per_latent && tiling.tile_stride <= tiling.tile_size,
            ErrorKind::usage,
            "tiling: the stride is {} and the tile size {} (expected {} <= stride <= size)",
            tiling.tile_stride,
            tiling.tile_size,
            pixels_per_latent);
}

/// What the first rank has, on all. \param tensor [B, C, F, H, W] on the first rank
at::Tensor from_first(const at::Tensor& tensor,
                      const at::TensorOptions& options,
                      parallel::TensorComm& ranks) {
    if (ranks.size() == 1) {
        return tensor;
    }
    const bool is_first = ranks.rank() == 0;
    const auto number = options.dtype(at::kLong);
    const at::Tensor shape = is_first ? at::tensor(tensor.sizes(), number) : at::empty({5}, number);
    ranks.broadcast(shape, 0);
    const at::Tensor sizes = shape.cpu();
    const at::IntArrayRef lengths(sizes.const_data_ptr<std::int64_t>(), 5);
    at::Tensor copy = is_first ? tensor.contiguous() : at::empty(lengths, options);
    ranks.broadcast(copy, 0);
    return copy;
}

class WanVideoCodec final : public VideoCodec {
public:
    WanVideoCodec(VaeConfig config, store::WeightSet weights, parallel::TensorComm& ranks)
        : config_(std::move(config))
        , weights_(std::move(weights))
        , ranks_(ranks)
        , levels_(static_cast<std::int64_t>(config_.dim_mult.size()) - 1) {}

    [[nodiscard]] at::Tensor encode(const at::Tensor& video, const TilingOptions& tiling) override;

    void decode(const at::Tensor& latent,
                const TilingOptions& tiling,
                const FrameConsumer& consume) override;

    [[nodiscard]] at::Tensor denormalise(const at::Tensor& latent) const override {
        return latent / inverse_deviation(latent) +
               per_channel(config_.latents_mean, "latents_mean", latent);
    }

    [[nodiscard]] at::Tensor normalise(const at::Tensor& latent) const override {
        return (latent - per_channel(config_.latents_mean, "latents_mean", latent)) *
               inverse_deviation(latent);
    }

private:
    /// The reference divides and multiplies by the float32 reciprocal; so the bits are the same.
    [[nodiscard]] at::Tensor inverse_deviation(const at::Tensor& like) const {
        return per_channel(config_.latents_std, "latents_std", like).reciprocal();
    }

    [[nodiscard]] TileSizes encode_sizes(std::int64_t length, const TilingOptions& tiling) const;
    [[nodiscard]] TileSizes decode_sizes(std::int64_t length, const TilingOptions& tiling) const;
    void decode_tiled(const at::Tensor& latent,
                      const TilingOptions& tiling,
                      const FrameConsumer& consume);
    [[nodiscard]] at::Tensor encode_tiled(const at::Tensor& video, const TilingOptions& tiling);
    [[nodiscard]] at::Tensor decode_tile(const at::Tensor& latent);
    /// \param frames on the first rank \returns on all ranks whether to go on
    [[nodiscard]] bool hand_out(const at::Tensor& frames, const FrameConsumer& consume);
    void make_decoder();
    void make_encoder();

    VaeConfig config_;
    store::WeightSet weights_;
    parallel::TensorComm& ranks_;
    parallel::TensorComm alone_{"one rank", nullptr, 0.0};  ///< makes a tile by itself
    std::int64_t levels_;  ///< changes of level: times that rows and columns are halved
    std::optional<VaeEncoder> encoder_;
    std::optional<VaeDecoder> decoder_;
};

void WanVideoCodec::make_encoder() {
    const std::int64_t halvings = count_of(encoder_layers(config_), VaeLayer::Kind::downsample3d);
    require(halvings <= most_time_halvings,
            ErrorKind::input,
            "vae/config.json: 'temperal_downsample' halves the frames {} times (expected at most "
            "{} for encoding)",
            halvings,
            most_time_halvings);
    if (!encoder_) {
        encoder_.emplace(config_, weights_);
    }
}

void WanVideoCodec::make_decoder() {
    if (!decoder_) {
        decoder_.emplace(config_, weights_);
    }
}

TileSizes WanVideoCodec::encode_sizes(std::int64_t length, const TilingOptions& tiling) const {
    const std::int64_t scale = config_.scale_factor_spatial;
    return {.length_in = length,
            .length_out = length / scale,
            .tile_in = tiling.tile_size,
            .stride_in = tiling.tile_stride,
            .tile_out = tiling.tile_size / scale,
            .stride_out = tiling.tile_stride / scale};
}

TileSizes WanVideoCodec::decode_sizes(std::int64_t length, const TilingOptions& tiling) const {
    const std::int64_t scale = config_.scale_factor_spatial;
    return {.length_in = length,
            .length_out = length * scale,
            .tile_in = tiling.tile_size / scale,
            .stride_in = tiling.tile_stride / scale,
            .tile_out = tiling.tile_size,
            .stride_out = tiling.tile_stride};
}

at::Tensor WanVideoCodec::encode(const at::Tensor& video, const TilingOptions& tiling) {
    expect_video(video, "video", config_.in_channels);
    const std::int64_t smallest = std::int64_t{1} << levels_;
    const std::int64_t height = video.size(3);
    const std::int64_t width = video.size(4);
    require(height >= smallest && width >= smallest,
            ErrorKind::input,
            "video: {} x {} pixels (expected at least {} x {})",
            width,
            height,
            smallest,
            smallest);
    make_encoder();
    if (tiling.enabled && (width > tiling.tile_size || height > tiling.tile_size)) {
        return encode_tiled(video, tiling);
    }
    const std::int64_t rows = height >> levels_;
    const Bands bands(ranks_, rows);
    const Interval own = bands.rows(height, smallest);
    const at::Tensor latent =
        (*encoder_)(video.narrow(row_axis, own.begin, own.end - own.begin), bands);
    return bands.on_all(latent, rows, 1);
}

at::Tensor WanVideoCodec::encode_tiled(const at::Tensor& video, const TilingOptions& tiling) {
    check(tiling, config_.scale_factor_spatial);
    const auto length_of = [&](std::int64_t length) {
        return length >> levels_;
    };
    const auto encode_tile = [&](const at::Tensor& tile) {
        return (*encoder_)(tile, Bands(alone_, length_of(tile.size(row_axis))));
    };
    const at::Tensor latent =
        run_tiled({.video = video,
                   .rows = make_tile_axis(encode_sizes(video.size(3), tiling), length_of),
                   .columns = make_tile_axis(encode_sizes(video.size(4), tiling), length_of)},
                  encode_tile,
                  ranks_);
    return from_first(latent, video.options(), ranks_);
}

bool WanVideoCodec::hand_out(const at::Tensor& frames, const FrameConsumer& consume) {
    bool goes_on = true;
    if (ranks_.rank() == 0) {
        const trace::Span span(ranks_.recorder(), "write frames");
        goes_on = consume(frames);
    }
    if (ranks_.size() == 1) {
        return goes_on;
    }
    const at::Tensor answer = at::full({1}, goes_on ? 1 : 0, at::TensorOptions(at::kInt));
    ranks_.broadcast(answer, 0);
    return answer.item<int>() != 0;
}

void WanVideoCodec::decode(const at::Tensor& latent,
                           const TilingOptions& tiling,
                           const FrameConsumer& consume) {
    expect_video(latent, "latent", config_.z_dim);
    make_decoder();
    const std::int64_t tile = tiling.tile_size / config_.scale_factor_spatial;
    if (tiling.enabled && (latent.size(3) > tile || latent.size(4) > tile)) {
        decode_tiled(latent, tiling, consume);
        return;
    }
    const std::int64_t rows = latent.size(row_axis);
    const std::int64_t scale = std::int64_t{1} << levels_;
    const Bands bands(ranks_, rows);
    const Interval own = bands.rows(rows, 1);
    const at::Tensor part = latent.narrow(row_axis, own.begin, own.end - own.begin);
    StreamState state(bands);
    for (std::int64_t f = 0; f < latent.size(2); ++f) {
        const trace::Span span(ranks_.recorder(), "latent frame", f);
        const at::Tensor band = (*decoder_)(part.select(2, f), state).clamp_(-1, 1).contiguous();
        if (!hand_out(bands.on_first(band, rows * scale, scale), consume)) {
            return;
        }
    }
}

at::Tensor WanVideoCodec::decode_tile(const at::Tensor& latent) {
    const trace::Span span(ranks_.recorder(), "tile");
    const Bands bands(alone_, latent.size(row_axis));
    StreamState state(bands);
    std::vector<at::Tensor> chunks;
    for (std::int64_t f = 0; f < latent.size(2); ++f) {
        chunks.push_back((*decoder_)(latent.select(2, f), state));
    }
    return at::cat(chunks, 2);
}

void WanVideoCodec::decode_tiled(const at::Tensor& latent,
                                 const TilingOptions& tiling,
                                 const FrameConsumer& consume) {
    check(tiling, config_.scale_factor_spatial);
    const auto length_of = [&](std::int64_t length) {
        return length << levels_;
    };
    const at::Tensor video = run_tiled(
        {.video = latent,
         .rows = make_tile_axis(decode_sizes(latent.size(3), tiling), length_of),
         .columns = make_tile_axis(decode_sizes(latent.size(4), tiling), length_of)},
        [&](const at::Tensor& tile) { return decode_tile(tile); },
        ranks_);
    if (ranks_.rank() > 0) {
        return;
    }
    video.clamp_(-1, 1);
    const trace::Span span(ranks_.recorder(), "write frames");
    bool goes_on = true;
    for (std::int64_t first = 0; goes_on && first < video.size(2);) {
        const std::int64_t length =
            first == 0 ? 1 : std::min(frames_per_chunk, video.size(2) - first);
        goes_on = consume(video.narrow(2, first, length).contiguous());
        first += length;
    }
}

}  // namespace

std::unique_ptr<VideoCodec> make_vae_codec(const VaeConfig& config,
                                           store::WeightSet weights,
                                           const parallel::VideoGroup& group) {
    return std::make_unique<WanVideoCodec>(config, std::move(weights), *group.replica);
}

}  // namespace reelyard::models::wan
