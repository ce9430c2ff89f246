#pragma once

#include <filesystem>
#include <map>
#include <ostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "support/fixture.hpp"
#include "support/program.hpp"

namespace reelyard::parity {

/// One entry of cases.json.
struct Case {
    Fixture fixture;
    nlohmann::json entry;

    [[nodiscard]] std::string name() const { return entry.at("name"); }
    [[nodiscard]] std::filesystem::path file(const std::string& key) const {
        return fixture.folder / entry.at(key).get<std::string>();
    }
};

inline void PrintTo(const Case& value, std::ostream* out) {
    *out << value.fixture.name << '/' << value.name();
}

/// All elements of all tensors of the case. \param results what was computed
inline void expect_within_tolerance(const std::filesystem::path& results, const Case& each) {
    for (const std::string& name : tensor_names(each.file("out"))) {
        const Values found = read_values(results, name);
        const Values expected = read_values(each.file("out"), name);
        EXPECT_EQ(found.shape, expected.shape);
        EXPECT_LE(deviation(found.values, expected.values).max,
                  each.entry.at("tolerance").get<double>());
    }
}

/// For INSTANTIATE_TEST_SUITE_P: names made of fixture and case.
struct CaseName {
    std::string operator()(const testing::TestParamInfo<Case>& info) const {
        return info.param.fixture.name + "_" + info.param.name();
    }
};

/// The folder of fixtures that is tested.
inline std::filesystem::path fixture_root() {
    const char* const other = std::getenv("REELYARD_WAN_FIXTURES");
    return other != nullptr ? other : REELYARD_WAN_FIXTURES;
}

/// The cases for which `wanted(entry)` holds, of all fixtures.
template <typename Predicate>
std::vector<Case> cases_where(Predicate wanted) {
    std::vector<Case> cases;
    for (const Fixture& fixture : fixtures_in(fixture_root(), REELYARD_TRAINED_CHECKPOINT)) {
        for (const nlohmann::json& entry : cases_of(fixture)) {
            if (wanted(entry)) {
                cases.push_back({fixture, entry});
            }
        }
    }
    return cases;
}

/// Stores made from the fixtures' checkpoints, each imported once per test program.
class Stores : public testing::Test {
protected:
    static void SetUpTestSuite() { folder_ = new ScratchFolder; }
    static void TearDownTestSuite() {
        delete folder_;
        folder_ = nullptr;
    }

    static std::filesystem::path scratch(const std::string& name) { return folder_->path() / name; }

    static std::filesystem::path store_of(const Fixture& fixture) {
        const std::filesystem::path store = scratch(fixture.name + ".h5");
        if (!std::filesystem::exists(store)) {
            const Outcome outcome =
                run_program({"import", fixture.checkpoint.string(), "-o", store.string()});
            EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
        }
        return store;
    }

private:
    static inline ScratchFolder* folder_ = nullptr;
};

}  // namespace reelyard::parity
