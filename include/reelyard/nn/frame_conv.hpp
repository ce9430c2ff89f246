#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <ATen/core/Tensor.h>

#include "reelyard/nn/instruction_set.hpp"

namespace reelyard::nn {

/// Activations of consecutive frames, each [B, H, W, C] float32 and contiguous. Where a layer says
/// so, an undefined tensor stands for a frame of zeros.
using FrameList = std::vector<at::Tensor>;

/// How a FrameConv moves over its input.
struct FrameConvOptions {
    std::int64_t stride = 1;        ///< of rows and columns: 1 or 2
    std::int64_t frame_stride = 1;  ///< of frames
    std::int64_t pad_before = 0;    ///< rows above and columns left of the picture, zeros
    std::int64_t pad_after = 0;     ///< rows below and columns right of the picture, zeros
};

/// Rows at the top and at the bottom of frames that belong to the neighbouring parts of a larger
/// picture. They take the place of padding, and nothing is computed for them.
struct RowHalo {
    std::int64_t above = 0;
    std::int64_t below = 0;
};

/// Convolution over rows, columns and frames of channels-last activations.
///
/// There is no padding in time: from n frames come (n - kt) / frame_stride + 1, and the caller puts
/// the history in front. The frames are separate tensors so that a history is kept by holding on to
/// some of them, without copies. Results do not depend on the number of threads, nor on how a video
/// is cut into calls, in time or, with halos, in rows (those of `reference` as far as LibTorch's do
/// not).
class FrameConv {
public:
    /// \param weight [O, I, kt, kh, kw] float32
    /// \param bias [O] float32
    /// \param instructions ignored for weights that are not on the CPU, which use `reference`
    FrameConv(const at::Tensor& weight,
              const at::Tensor& bias,
              const FrameConvOptions& options = {},
              InstructionSet instructions = best_instruction_set());
    FrameConv(FrameConv&&) noexcept;
    FrameConv& operator=(FrameConv&&) noexcept;
    FrameConv(const FrameConv&) = delete;
    FrameConv& operator=(const FrameConv&) = delete;
    ~FrameConv();

    /// \param frames each [B, H, W, I]; undefined ones are zeros, the last is defined
    /// \param addends nothing, or one frame [B, H', W', O] per result that is added to it
    /// \param halo among the H rows; at most the padding of its side
    /// \returns frames [B, H', W', O], of no rows when H is 0
    [[nodiscard]] FrameList operator()(const FrameList& frames,
                                       const FrameList& addends = {},
                                       const RowHalo& halo = {}) const;

    [[nodiscard]] const FrameConvOptions& options() const;

    class Kernel;

private:
    std::unique_ptr<Kernel> kernel_;
};

/// Doubles rows and columns by repeating each pixel, then a 3 x 3 convolution with padding 1.
///
/// Output pixels of one parity see only 2 x 2 different input pixels, so that it is computed as
/// four 2 x 2 convolutions of the small picture, with weights summed beforehand.
class UpsampleConv {
public:
    /// \param weight [O, I, 3, 3] float32
    /// \param bias [O] float32
    UpsampleConv(const at::Tensor& weight,
                 const at::Tensor& bias,
                 InstructionSet instructions = best_instruction_set());
    UpsampleConv(UpsampleConv&&) noexcept;
    UpsampleConv& operator=(UpsampleConv&&) noexcept;
    UpsampleConv(const UpsampleConv&) = delete;
    UpsampleConv& operator=(const UpsampleConv&) = delete;
    ~UpsampleConv();

    /// \param frames each [B, H, W, I]
    /// \param halo among the H rows; at most one on each side
    /// \returns frames [B, 2 H', 2 W, O] of the H' rows that are not of the halo
    [[nodiscard]] FrameList operator()(const FrameList& frames, const RowHalo& halo = {}) const;

    class Kernel;

private:
    std::unique_ptr<Kernel> kernel_;
};

}  // namespace reelyard::nn
