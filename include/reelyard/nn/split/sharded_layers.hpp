#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

#include "reelyard/nn/linear.hpp"
#include "reelyard/nn/norm.hpp"
#include "reelyard/parallel/tensor_comm.hpp"

/// Layers whose width is cut between the ranks of a tensor parallel group (Shoeybi et al. 2019,
/// arXiv:1909.08053). With a group of one they are the layers of one rank, bit for bit.
namespace reelyard::nn {

/// RMSNorm over all heads of all ranks, then the rotation, in place. Collective.
/// \param x [B, L, n, K], this rank's heads \param weight [n K] float32
/// \param width N K of all ranks together
void sharded_rms_norm_rotate(at::Tensor& x,
                             const at::Tensor& weight,
                             double eps,
                             const RotaryTable* rotary,
                             std::int64_t width,
                             parallel::TensorComm& ranks);

/// stream += gate * (the sum over the ranks of x W^T + b), in place. Collective.
/// \param stream [B, L, out] float32, contiguous, the same on all ranks
/// \param x [B, L, in of this rank], contiguous
/// \param layer weight [out, in of this rank], bias [out]
/// \param gate [B, out] or [1, out] float32; undefined: 1
void add_sharded_linear(at::Tensor& stream,
                        const at::Tensor& x,
                        const Linear& layer,
                        const at::Tensor& gate,
                        parallel::TensorComm& ranks);

}  // namespace reelyard::nn
