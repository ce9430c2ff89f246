#include "reelyard/samplers/initial_noise.hpp"

#include <fstream>

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace reelyard::samplers {
namespace {

TEST(InitialNoise, equals_torch_with_a_seeded_cpu_generator) {
    std::ifstream file(REELYARD_FIXTURES "/samplers/noise.json");
    const nlohmann::json fixture = nlohmann::json::parse(file);

    for (const nlohmann::json& one : fixture.at("cases")) {
        SCOPED_TRACE(one.at("shape").dump() + " seed " + one.at("seed").dump());
        const at::Tensor noise = initial_noise(one.at("shape").get<std::vector<std::int64_t>>(),
                                               one.at("seed").get<std::uint64_t>());
        const at::Tensor flat = noise.flatten();

        EXPECT_EQ(noise.sizes().vec(), one.at("shape").get<std::vector<std::int64_t>>());
        EXPECT_EQ(noise.scalar_type(), at::kFloat);
        const auto values = one.at("values").get<std::vector<float>>();
        const auto places = one.at("places").get<std::vector<std::int64_t>>();
        for (std::size_t i = 0; i < places.size(); ++i) {
            EXPECT_NEAR(flat[places[i]].item<float>(), values[i], 1e-6F) << "at " << places[i];
        }
        const at::Tensor wide = flat.to(at::kDouble);
        EXPECT_NEAR(wide.sum().item<double>(), one.at("sum").get<double>(), 1e-2);
        EXPECT_NEAR(wide.square().sum().item<double>(),
                    one.at("sum_of_squares").get<double>(),
                    1e-6 * static_cast<double>(wide.numel()));
    }
}

TEST(InitialNoise, differs_between_seeds) {
    EXPECT_FALSE(at::equal(initial_noise({1, 16, 2, 4, 4}, 1), initial_noise({1, 16, 2, 4, 4}, 2)));
}

}  // namespace
}  // namespace reelyard::samplers
