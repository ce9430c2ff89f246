#include "reelyard/nn/frame_conv.hpp"

#include <array>
#include <optional>
#include <utility>

#include <ATen/ATen.h>

#include "reelyard/base/error.hpp"

#include "frame_conv_cpu.hpp"

namespace reelyard::nn {
namespace {

using Sizes = std::array<std::int64_t, 2>;

InstructionSet usable(InstructionSet wanted, const at::Tensor& weight) {
    return weight.is_cpu() ? wanted : InstructionSet::reference;
}

at::Tensor defined_or_zeros(const at::Tensor& frame, const at::Tensor& like) {
    return frame.defined() ? frame : at::zeros_like(like);
}

/// [B, C, F, H, W], a view whose channels are innermost.
at::Tensor to_video(const FrameList& frames) {
    std::vector<at::Tensor> defined;
    defined.reserve(frames.size());
    for (const at::Tensor& frame : frames) {
        defined.push_back(defined_or_zeros(frame, frames.back()));
    }
    return at::stack(defined, 1).permute({0, 4, 1, 2, 3});
}

FrameList from_video(const at::Tensor& video) {
    FrameList frames;
    for (const at::Tensor& frame : video.permute({0, 2, 3, 4, 1}).unbind(1)) {
        frames.push_back(frame.contiguous());
    }
    return frames;
}

void expect_frames(const FrameList& frames, std::int64_t channels) {
    REELYARD_EXPECT(!frames.empty() && frames.back().defined());
    for (const at::Tensor& frame : frames) {
        REELYARD_EXPECT(!frame.defined() ||
                        (frame.is_contiguous() && frame.scalar_type() == at::kFloat &&
                         frame.sizes() == frames.back().sizes()));
    }
    REELYARD_EXPECT(frames.back().dim() == 4 && frames.back().size(3) == channels);
}

FrameList empty_frames(std::size_t count,
                       const at::Tensor& like,
                       Sizes size,
                       std::int64_t channels) {
    FrameList frames;
    for (std::size_t i = 0; i < count; ++i) {
        frames.push_back(at::empty({like.size(0), size[0], size[1], channels}, like.options()));
    }
    return frames;
}

}  // namespace

class FrameConv::Kernel {
public:
    Kernel(const at::Tensor& weight,
           const at::Tensor& bias,
           const FrameConvOptions& options,
           InstructionSet instructions)
        : options_(options)
        , shape_(weight.sizes().vec()) {
        if (usable(instructions, weight) == InstructionSet::reference) {
            weight_ = weight;
            bias_ = bias;
        } else {
            cpu_.emplace(weight.contiguous(),
                         bias.contiguous(),
                         options,
                         Sizes{options.pad_before, options.pad_before},
                         instructions);
        }
    }

    [[nodiscard]] const FrameConvOptions& options() const { return options_; }

    [[nodiscard]] FrameList run(const FrameList& frames,
                                const FrameList& addends,
                                const RowHalo& halo) const {
        expect_frames(frames, shape_[1]);
        REELYARD_EXPECT(halo.above >= 0 && halo.above <= options_.pad_before);
        REELYARD_EXPECT(halo.below >= 0 && halo.below <= options_.pad_after);
        const auto available = static_cast<std::int64_t>(frames.size()) - shape_[2];
        REELYARD_EXPECT(available >= 0);
        const auto count = static_cast<std::size_t>(available / options_.frame_stride + 1);
        REELYARD_EXPECT(addends.empty() || addends.size() == count);
        const at::Tensor& in = frames.back();
        const Sizes size{out_size(in.size(1) - halo.above - halo.below, shape_[3]),
                         out_size(in.size(2), shape_[4])};
        if (!cpu_ && size[0] > 0) {
            return run_reference(frames, addends, halo);
        }
        FrameList out = empty_frames(count, in, size, shape_[0]);
        if (size[0] == 0) {
            return out;
        }
        if (!addends.empty()) {
            expect_frames(addends, shape_[0]);
            REELYARD_EXPECT(addends.front().sizes() == out.front().sizes());
        }
        cpu_->run(frames, addends, out, {.rows_above = halo.above});
        return out;
    }

private:
    [[nodiscard]] std::int64_t out_size(std::int64_t in, std::int64_t kernel) const {
        return (in + options_.pad_before + options_.pad_after - kernel) / options_.stride + 1;
    }

    [[nodiscard]] FrameList run_reference(const FrameList& frames,
                                          const FrameList& addends,
                                          const RowHalo& halo) const {
        const std::int64_t before = options_.pad_before;
        const std::int64_t after = options_.pad_after;
        at::Tensor video = to_video(frames);
        const bool is_even = before == after && halo.above == 0 && halo.below == 0;
        if (!is_even) {
            video = at::constant_pad_nd(video,
                                        {before, after, before - halo.above, after - halo.below});
        }
        const std::int64_t pad = is_even ? before : 0;
        FrameList out =
            from_video(at::conv3d(video,
                                  weight_,
                                  bias_,
                                  {options_.frame_stride, options_.stride, options_.stride},
                                  at::IntArrayRef({0, pad, pad})));
        for (std::size_t i = 0; i < addends.size(); ++i) {
            out[i] += addends[i];
        }
        return out;
    }

    FrameConvOptions options_;
    std::vector<std::int64_t> shape_;  ///< O, I, kt, kh, kw
    std::optional<CpuConv> cpu_;
    at::Tensor weight_;  ///< [O, I, kt, kh, kw], only without cpu_
    at::Tensor bias_;    ///< [O], only without cpu_
};

FrameConv::FrameConv(const at::Tensor& weight,
                     const at::Tensor& bias,
                     const FrameConvOptions& options,
                     InstructionSet instructions)
    : kernel_(std::make_unique<Kernel>(weight, bias, options, instructions)) {}

FrameConv::FrameConv(FrameConv&&) noexcept = default;
FrameConv& FrameConv::operator=(FrameConv&&) noexcept = default;
FrameConv::~FrameConv() = default;

FrameList FrameConv::operator()(const FrameList& frames,
                                const FrameList& addends,
                                const RowHalo& halo) const {
    return kernel_->run(frames, addends, halo);
}

const FrameConvOptions& FrameConv::options() const {
    return kernel_->options();
}

class UpsampleConv::Kernel {
public:
    Kernel(const at::Tensor& weight, const at::Tensor& bias, InstructionSet instructions)
        : channels_in_(weight.size(1))
        , channels_out_(weight.size(0)) {
        if (usable(instructions, weight) == InstructionSet::reference) {
            weight_ = weight;
            bias_ = bias;
            return;
        }
        for (std::int64_t row = 0; row < 2; ++row) {
            for (std::int64_t column = 0; column < 2; ++column) {
                const at::Tensor phase = halved(halved(weight, 2, row), 3, column);
                phases_.emplace_back(phase.unsqueeze(2).contiguous(),
                                     bias.contiguous(),
                                     FrameConvOptions{},
                                     Sizes{1 - row, 1 - column},
                                     instructions);
            }
        }
    }

    [[nodiscard]] FrameList run(const FrameList& frames, const RowHalo& halo) const {
        expect_frames(frames, channels_in_);
        REELYARD_EXPECT(halo.above >= 0 && halo.above <= 1 && halo.below >= 0 && halo.below <= 1);
        const at::Tensor& in = frames.back();
        const std::int64_t rows = in.size(1) - halo.above - halo.below;
        if (phases_.empty() && rows > 0) {
            return run_reference(frames, halo);
        }
        FrameList out = empty_frames(frames.size(), in, {2 * rows, 2 * in.size(2)}, channels_out_);
        for (std::size_t i = 0; rows > 0 && i < phases_.size(); ++i) {
            const auto phase = static_cast<std::int64_t>(i);
            phases_[i].run(frames, {}, out, OutputGrid{2, phase / 2, phase % 2, halo.above});
        }
        return out;
    }

private:
    /// The two taps along `dim` that an output pixel of that parity sees on the small picture:
    /// even ones the pixel before (k0) and their own (k1 + k2), odd ones their own (k0 + k1) and
    /// the next (k2).
    static at::Tensor halved(const at::Tensor& weight, std::int64_t dim, std::int64_t parity) {
        const at::Tensor k0 = weight.narrow(dim, 0, 1);
        const at::Tensor k1 = weight.narrow(dim, 1, 1);
        const at::Tensor k2 = weight.narrow(dim, 2, 1);
        return parity == 0 ? at::cat({k0, k1 + k2}, dim) : at::cat({k0 + k1, k2}, dim);
    }

    [[nodiscard]] FrameList run_reference(const FrameList& frames, const RowHalo& halo) const {
        FrameList out;
        for (const at::Tensor& frame : frames) {
            const at::Tensor large = at::_upsample_nearest_exact2d(
                frame.permute({0, 3, 1, 2}), {2 * frame.size(1), 2 * frame.size(2)});
            const at::Tensor result = at::conv2d(large, weight_, bias_, 1, 1);
            const std::int64_t rows = result.size(2) - 2 * (halo.above + halo.below);
            out.push_back(
                result.narrow(2, 2 * halo.above, rows).permute({0, 2, 3, 1}).contiguous());
        }
        return out;
    }

    std::int64_t channels_in_;
    std::int64_t channels_out_;
    std::vector<CpuConv> phases_;  ///< by parity of row, then of column
    at::Tensor weight_;            ///< [O, I, 3, 3], only without phases_
    at::Tensor bias_;              ///< [O], only without phases_
};

UpsampleConv::UpsampleConv(const at::Tensor& weight,
                           const at::Tensor& bias,
                           InstructionSet instructions)
    : kernel_(std::make_unique<Kernel>(weight, bias, instructions)) {}

UpsampleConv::UpsampleConv(UpsampleConv&&) noexcept = default;
UpsampleConv& UpsampleConv::operator=(UpsampleConv&&) noexcept = default;
UpsampleConv::~UpsampleConv() = default;

FrameList UpsampleConv::operator()(const FrameList& frames, const RowHalo& halo) const {
    return kernel_->run(frames, halo);
}

}  // namespace reelyard::nn
