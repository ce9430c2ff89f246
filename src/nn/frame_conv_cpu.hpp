#pragma once

#include <array>
#include <cstdint>

#include <ATen/core/Tensor.h>

#include "reelyard/nn/frame_conv.hpp"

#include "kernels/frames/frame_kernels.hpp"

namespace reelyard::nn {

/// The functions of an instruction set other than `reference`.
[[nodiscard]] const kernels::FrameKernels& frame_kernels(InstructionSet set);

/// Which pixels of the output frames a convolution writes: every `step`-th from (row, column) on.
struct OutputGrid {
    std::int64_t step = 1;
    std::int64_t row = 0;
    std::int64_t column = 0;
    std::int64_t rows_above = 0;  ///< of the input that the first row of output lies below
};

/// A convolution with its weights packed for one instruction set.
class CpuConv {
public:
    /// \param weight [O, I, kt, kh, kw] float32, contiguous
    /// \param bias [O] float32, contiguous
    /// \param pads rows above and columns left of the picture that count as zeros
    CpuConv(const at::Tensor& weight,
            const at::Tensor& bias,
            const FrameConvOptions& options,
            std::array<std::int64_t, 2> pads,
            InstructionSet instructions);

    /// Fills the pixels of `grid` in `out`, frames [B, H', W', O].
    void run(const FrameList& frames,
             const FrameList& addends,
             const FrameList& out,
             const OutputGrid& grid) const;

private:
    [[nodiscard]] kernels::ConvJob job_for(const FrameList& frames,
                                           const FrameList& out,
                                           const OutputGrid& grid) const;

    void run_tasks(const kernels::ConvJob& job) const;

    const kernels::FrameKernels* kernels_;
    kernels::ConvJob shape_{};  ///< the part that does not depend on the input
    at::Tensor packed_;         ///< [kernels_->packed_size()] float32
};

}  // namespace reelyard::nn
