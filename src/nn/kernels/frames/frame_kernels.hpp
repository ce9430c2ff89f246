#pragma once

#include <cstddef>
#include <cstdint>

// Plain types only: this header is shared with files that are compiled for other instruction sets.

namespace reelyard::nn::kernels {

/// One convolution of channels-last planes, without batch.
struct ConvJob {
    std::int64_t kernel_frames, kernel_rows, kernel_columns;
    std::int64_t channels_in, channels_out;
    std::int64_t stride;             ///< of rows and columns: 1 or 2
    std::int64_t frame_stride;       ///< of frames
    std::int64_t pad_top, pad_left;  ///< zeros; below and right as far as the result needs them
    std::int64_t rows_in, columns_in, rows_out, columns_out, frames_out;
    const float* const* in;      ///< (frames_out - 1) * frame_stride + kernel_frames planes
                                 ///< [rows_in, columns_in, channels_in]; null: zeros
    const float* weights;        ///< as pack_block() of the same kernel set makes them
    float* const* out;           ///< the first pixel of each of frames_out planes
    const float* const* addend;  ///< planes placed like those of `out`, or null
    std::int64_t out_row_stride, out_pixel_stride;  ///< in floats
    std::int64_t threads;                           ///< so that there are tasks for all of them
};

/// A pass over pixels of `channels` floats each.
struct NormJob {
    const float* in;
    float* out;
    const float* gain;  ///< [channels], with the factor sqrt(channels)
    std::int64_t pixels, channels;
    bool silu;
};

/// The functions of one instruction set.
struct FrameKernels {
    /// Floats that packed weights take.
    std::int64_t (*packed_size)(const ConvJob& shape);
    /// Blocks of output channels.
    std::int64_t (*block_count)(const ConvJob& shape);
    /// Rearranges a block's part of `weight` [O, I, kt, kh, kw] and `bias` [O] into `packed`.
    void (*pack_block)(const ConvJob& shape,
                       std::int64_t block,
                       const float* weight,
                       const float* bias,
                       float* packed);
    /// Floats that a task needs to work in.
    std::int64_t (*scratch_size)(const ConvJob& job);
    std::int64_t (*task_count)(const ConvJob& job);
    /// Tasks write different pixels and may run in any order.
    void (*convolve_task)(const ConvJob& job, std::int64_t task, float* scratch);
    void (*normalise)(const NormJob& job);
};

extern const FrameKernels frame_kernels_baseline;
#if REELYARD_X86_KERNELS
extern const FrameKernels frame_kernels_avx2;
extern const FrameKernels frame_kernels_avx512;
#endif

}  // namespace reelyard::nn::kernels
