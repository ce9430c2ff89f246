// The samplers against diffusers' schedulers on the same noise and velocities
// (tests/parity/make_sampler_fixtures.py), and against the trajectories of the original programs.

#include <fstream>

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "reelyard/samplers/sampler.hpp"

namespace reelyard::samplers {
namespace {

using nlohmann::json;

at::Tensor tensor(const json& numbers, std::vector<std::int64_t> shape) {
    return at::tensor(numbers.get<std::vector<float>>()).reshape(shape);
}

/// Largest deviation relative to the largest value expected.
double deviation(const at::Tensor& found, const at::Tensor& expected) {
    return ((found - expected).abs().max() / expected.abs().max()).item<double>();
}

void expect_levels(const std::vector<float>& found, const json& expected, float relative) {
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
        const float value = expected[i].get<float>();
        EXPECT_NEAR(found[i], value, relative * std::abs(value)) << "at " << i;
    }
}

void expect_run(const json& run, const json& one, const std::vector<std::int64_t>& shape) {
    const auto steps = one.at("steps").get<std::int64_t>();
    const auto sampler = make_sampler(run.at("sampler").get<std::string>(),
                                      {.steps = steps,
                                       .flow_shift = one.at("flow_shift").get<double>(),
                                       .sigma_schedule = run.at("sigma_schedule")});
    std::vector<std::int64_t> all{steps};
    all.insert(all.end(), shape.begin(), shape.end());
    const at::Tensor velocity = tensor(one.at("velocity"), all);
    const at::Tensor expected = tensor(run.at("samples"), all);
    expect_levels(sampler->schedule().sigmas, run.at("sigmas"), 2e-7F);
    expect_levels(sampler->schedule().timesteps, run.at("timesteps"), 2e-7F);

    at::Tensor sample = tensor(one.at("noise"), shape);
    for (std::int64_t k = 0; k < steps; ++k) {
        sample = sampler->step(k, velocity[k], sample);
        ASSERT_LE(deviation(sample, expected[k]), 2e-6) << "after step " << k;
    }
}

TEST(Trajectory, equals_diffusers_for_every_sampler_and_schedule) {
    std::ifstream file(REELYARD_FIXTURES "/samplers/trajectories.json");
    const json fixture = json::parse(file);
    const auto shape = fixture.at("shape").get<std::vector<std::int64_t>>();
    std::size_t runs = 0;

    for (const json& one : fixture.at("cases")) {
        for (const json& run : one.at("runs")) {
            SCOPED_TRACE(run.at("sampler").dump() + run.at("sigma_schedule").dump() +
                         one.at("steps").dump() + " steps, shift " + one.at("flow_shift").dump());
            expect_run(run, one, shape);
            ++runs;
        }
    }

    EXPECT_EQ(runs,
              fixture.at("cases").size() * sampler_names().size() * sigma_schedule_names().size());
}

/// v(x, t) = 0.5 x + t / 1000 - 0.3 x^2 from x = 1, as the original classes go in float32.
struct OriginalRun {
    std::string sampler;
    std::int64_t steps;
    double flow_shift;
    std::vector<float> sigmas;
    std::vector<float> timesteps;
    std::vector<float> samples;
};

std::vector<OriginalRun> original_runs() {
    return {{"unipc",
             6,
             3.0,
             {0.9996665F, 0.9371482F, 0.8567753F, 0.7496248F, 0.5996398F, 0.3747187F, 0.0F},
             {999, 937, 856, 749, 599, 374},
             {0.925041F, 0.835084F, 0.726850F, 0.594700F, 0.445857F, 0.244524F}},
            {"dpmpp",
             6,
             3.0,
             {1.0F, 0.9375F, 0.8571429F, 0.75F, 0.6F, 0.375F, 0.0F},
             {1000, 937, 857, 750, 600, 375},
             {0.925000F, 0.833167F, 0.722164F, 0.587587F, 0.436375F, 0.235352F}},
            {"unipc",
             5,
             5.0,
             {0.9997998F, 0.9521540F, 0.8820933F, 0.7689347F, 0.5552468F, 0.0F},
             {999, 952, 882, 768, 555},
             {0.942873F, 0.862981F, 0.744734F, 0.554823F, 0.143905F}},
            {"dpmpp",
             5,
             5.0,
             {1.0F, 0.9523810F, 0.8823529F, 0.7692308F, 0.5555556F, 0.0F},
             {1000, 952, 882, 769, 555},
             {0.942857F, 0.861853F, 0.741657F, 0.548783F, 0.138204F}}};
}

TEST(Trajectory, equals_the_original_programs_on_a_scalar_flow) {
    for (const OriginalRun& run : original_runs()) {
        SCOPED_TRACE(run.sampler + std::to_string(run.steps));
        const auto sampler =
            make_sampler(run.sampler, {.steps = run.steps, .flow_shift = run.flow_shift});
        at::Tensor x = at::ones({1});

        EXPECT_EQ(sampler->schedule().timesteps, run.timesteps);
        for (std::size_t i = 0; i < run.sigmas.size(); ++i) {
            EXPECT_NEAR(sampler->schedule().sigmas[i], run.sigmas[i], 6e-8F);
        }
        for (std::int64_t k = 0; k < run.steps; ++k) {
            const auto i = static_cast<std::size_t>(k);
            const at::Tensor velocity = x * 0.5 + run.timesteps[i] / 1000.0 - x * x * 0.3;
            x = sampler->step(k, velocity, x);
            EXPECT_NEAR(x.item<float>(), run.samples[i], 2e-6F) << "after step " << k;
        }
    }
}

}  // namespace
}  // namespace reelyard::samplers
