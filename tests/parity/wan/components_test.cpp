#include <gtest/gtest.h>

#include "wan/fixtures.hpp"

// Single components through `reelyard eval`, compared with what diffusers and transformers compute
// from the same weights and inputs.
namespace reelyard::parity {
namespace {

/// Our bfloat16 may be this much further from the reference's float32 than the reference's own
/// bfloat16 is. The two round at different places, so that single values may fall either way.
constexpr double rms_factor = 1.25;
constexpr double max_factor = 2.0;

class Component : public Stores, public testing::WithParamInterface<Case> {
protected:
    /// Runs the component. \returns the file of its results
    static std::filesystem::path evaluated(const Case& each, const std::string& dtype) {
        const std::filesystem::path out = scratch(each.name() + ".safetensors");
        std::vector<std::string> arguments{"eval",
                                           each.entry.at("component"),
                                           "--store",
                                           store_of(each.fixture).string(),
                                           "--in",
                                           each.file("in").string(),
                                           "--out",
                                           out.string(),
                                           "--dtype",
                                           dtype};
        for (const nlohmann::json& argument : each.entry.at("arguments")) {
            arguments.push_back(argument);
        }
        if (each.entry.value("tiled", false)) {
            arguments.emplace_back("--tiling");
        }
        const Outcome outcome = run_program(arguments);
        EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
        return out;
    }

    /// The deviation of tensor `name`, of the rows that count.
    static Deviation compared(const Case& each,
                              const std::filesystem::path& results,
                              const std::string& name) {
        const Values found = read_values(results, name);
        const Values expected = read_values(each.file("out"), name);
        EXPECT_EQ(found.shape, expected.shape) << name;
        if (found.shape != expected.shape || !each.entry.contains("rows")) {
            return deviation(found.values, expected.values);
        }
        const Values mask = read_values(each.file("in"), each.entry.at("rows"));
        return deviation(rows_where(found, mask), rows_where(expected, mask));
    }
};

TEST_P(Component, float32_equals_the_reference) {
    const Case& each = GetParam();

    const std::filesystem::path results = evaluated(each, "float32");

    for (const std::string& name : tensor_names(each.file("out"))) {
        const Deviation found = compared(each, results, name);
        RecordProperty(name, std::to_string(found.max));
        EXPECT_LE(found.max, each.entry.at("tolerance").get<double>()) << name;
    }
}

INSTANTIATE_TEST_SUITE_P(wan,
                         Component,
                         testing::ValuesIn(cases_where([](const nlohmann::json& entry) {
                             return entry.at("kind") == "eval" && entry.contains("in");
                         })),
                         CaseName{});

using ReducedComponent = Component;

TEST_P(ReducedComponent, bfloat16_is_as_close_to_float32_as_that_of_the_reference) {
    const Case& each = GetParam();
    const nlohmann::json& bound = each.entry.at("bfloat16");

    const std::filesystem::path results = evaluated(each, "bfloat16");

    for (const std::string& name : tensor_names(each.file("out"))) {
        const Deviation found = compared(each, results, name);
        RecordProperty(name, std::to_string(found.rms));
        EXPECT_LE(found.rms, rms_factor * bound.at("rms").get<double>()) << name;
        EXPECT_LE(found.max, max_factor * bound.at("max").get<double>()) << name;
    }
}

INSTANTIATE_TEST_SUITE_P(wan,
                         ReducedComponent,
                         testing::ValuesIn(cases_where([](const nlohmann::json& entry) {
                             return entry.at("kind") == "eval" && entry.contains("bfloat16");
                         })),
                         CaseName{});

}  // namespace
}  // namespace reelyard::parity
