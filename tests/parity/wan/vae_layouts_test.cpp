#include <array>

#include <gtest/gtest.h>

#include "wan/fixtures.hpp"

// The VAE on several ranks through `reelyard eval`, compared with what diffusers computes on one.
namespace reelyard::parity {
namespace {

/// Every option that ranks are counted by, and more ranks than some latents have rows.
const std::array<std::pair<const char*, int>, 4> layouts{
    {{"ulysses", 3}, {"ring", 8}, {"tensor", 2}, {"ring", 4}}};

struct LayoutCase {
    Case fixture_case;
    std::string degree;
    int ranks;
};

void PrintTo(const LayoutCase& value, std::ostream* out) {
    PrintTo(value.fixture_case, out);
    *out << " on " << value.ranks;
}

/// Every case on one of the layouts, but those of which a longer one is a continuation.
std::vector<LayoutCase> layout_cases() {
    std::vector<LayoutCase> cases;
    for (const Case& each : cases_where([](const nlohmann::json& entry) {
             return entry.at("kind") == "eval" &&
                    entry.at("component").get<std::string>().starts_with("vae_");
         })) {
        if (each.name().ends_with("_5_frames")) {
            continue;
        }
        const auto& [degree, ranks] = layouts.at(cases.size() * 3 / 2 % layouts.size());
        cases.push_back({each, degree, ranks});
    }
    return cases;
}

class VaeLayout : public Stores, public testing::WithParamInterface<LayoutCase> {};

TEST_P(VaeLayout, equals_the_reference) {
    const auto& [each, degree, ranks] = GetParam();
    const std::filesystem::path out = scratch("out.safetensors");
    std::vector<std::string> arguments{"eval",
                                       each.entry.at("component"),
                                       "--store=" + store_of(each.fixture).string(),
                                       "--in=" + each.file("in").string(),
                                       "--out=" + out.string(),
                                       "--parallel." + degree + "=" + std::to_string(ranks)};
    if (each.entry.value("tiled", false)) {
        arguments.emplace_back("--tiling");
    }

    const Outcome outcome = run_program(arguments, ranks);

    ASSERT_EQ(outcome.exit_code, 0) << outcome.output;
    expect_within_tolerance(out, each);
}

struct LayoutCaseName {
    std::string operator()(const testing::TestParamInfo<LayoutCase>& each) const {
        const Case& fixture_case = each.param.fixture_case;
        return fixture_case.fixture.name + "_" + fixture_case.name() + "_" + each.param.degree +
               "_" + std::to_string(each.param.ranks);
    }
};

INSTANTIATE_TEST_SUITE_P(wan, VaeLayout, testing::ValuesIn(layout_cases()), LayoutCaseName{});

}  // namespace
}  // namespace reelyard::parity
