#pragma once

#include <vector>

#include <ATen/core/Tensor.h>

#include "reelyard/models/conditioning.hpp"

namespace reelyard::models {

/// The denoising network: predicts the velocity (noise - clean) of a latent.
class Transformer {
public:
    Transformer() = default;
    Transformer(const Transformer&) = delete;
    Transformer& operator=(const Transformer&) = delete;
    virtual ~Transformer() = default;

    /// What the conditioner made of B texts as one batch, for prepare().
    [[nodiscard]] virtual Conditioning batch(const std::vector<Conditioning>& texts) const = 0;

    /// Computes once per prompt what does not change from step to step (text keys and values of
    /// every layer). \returns what velocity() takes; only this transformer reads it
    [[nodiscard]] virtual Conditioning prepare(const Conditioning& conditioning) const = 0;

    /// \param latent [B, C, f, h, w] float32
    /// \param timestep [B] float32, in 0..1000
    /// \param prepared what prepare() gave, batch B
    /// \returns velocity [B, C, f, h, w] float32
    [[nodiscard]] virtual at::Tensor velocity(const at::Tensor& latent,
                                              const at::Tensor& timestep,
                                              const Conditioning& prepared) = 0;
};

}  // namespace reelyard::models
