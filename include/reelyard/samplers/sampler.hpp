#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <ATen/core/Tensor.h>

namespace reelyard::samplers {

/// Noise levels and the times told to the model. N steps.
struct Schedule {
    std::vector<float> sigmas;  ///< [N + 1], falling, the last is 0
    std::vector<float>
        timesteps;  ///< [N], in 0..1000, as the model is told (integers for unipc and dpmpp)
};

/// What makes a schedule.
struct ScheduleOptions {
    std::int64_t steps = 50;
    double flow_shift = 5.0;
    std::string sigma_schedule = "official";  ///< official | diffusers | karras
};

/// Goes from noise level to noise level, whatever predicts the velocity. Keeps its own history: one
/// object per task, step() called for k = 0 .. N-1 in order.
class Sampler {
public:
    Sampler() = default;
    Sampler(const Sampler&) = delete;
    Sampler& operator=(const Sampler&) = delete;
    virtual ~Sampler() = default;

    [[nodiscard]] virtual const Schedule& schedule() const = 0;

    /// \param sample x_k, any shape, float32
    /// \param velocity the model's output at x_k, float32, same shape
    /// \returns x_{k+1}
    [[nodiscard]] virtual at::Tensor step(std::int64_t k,
                                          const at::Tensor& velocity,
                                          const at::Tensor& sample) = 0;
};

/// \throws Error (usage) for an unknown name or schedule, listing the known ones
[[nodiscard]] std::unique_ptr<Sampler> make_sampler(std::string_view name,
                                                    const ScheduleOptions& options);

/// "unipc", "dpmpp", "euler".
[[nodiscard]] std::vector<std::string> sampler_names();
/// "official", "diffusers", "karras".
[[nodiscard]] std::vector<std::string> sigma_schedule_names();

}  // namespace reelyard::samplers
