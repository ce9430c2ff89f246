#include <fstream>
#include <map>

#include <gtest/gtest.h>

#include "wan/fixtures.hpp"

// Transformer and text encoder on several ranks through `reelyard eval`, compared with what
// diffusers and transformers compute on one.
namespace reelyard::parity {
namespace {

/// Degrees of a layout by their names in the options.
using Layout = std::map<std::string, int>;

int ranks_of(const Layout& layout) {
    int ranks = 1;
    for (const auto& [name, degree] : layout) {
        ranks *= degree;
    }
    return ranks;
}

std::string name_of(const Layout& layout) {
    std::string name;
    for (const auto& [degree, value] : layout) {
        name += (name.empty() ? "" : "_") + degree + "_" + std::to_string(value);
    }
    return name;
}

int heads_of(const Fixture& fixture) {
    std::ifstream file(fixture.checkpoint / "transformer/config.json");
    return nlohmann::json::parse(file).at("num_attention_heads");
}

/// Each split by itself and with the others; on 2, 3, 4, 6 and 8 ranks.
const std::vector<Layout> transformer_layouts{
    {{"ulysses", 2}},
    {{"ring", 2}},
    {{"tensor", 2}},
    {{"ulysses", 3}},
    {{"ring", 3}},
    {{"tensor", 3}},
    {{"ring", 2}, {"tensor", 2}},
    {{"ring", 4}},
    {{"ring", 2}, {"ulysses", 3}},
    {{"tensor", 2}, {"ulysses", 1}, {"ring", 4}},
};

/// Slices, parts of blocks, and parts of slices; some with fewer heads than ranks.
const std::vector<Layout> text_layouts{
    {{"tensor", 2}},
    {{"ulysses", 2}, {"shard_weights", 1}},
    {{"tensor", 3}},
    {{"ring", 3}, {"shard_weights", 1}},
    {{"tensor", 4}},
    {{"ring", 2}, {"tensor", 2}, {"shard_weights", 1}},
    {{"ulysses", 3}, {"tensor", 2}, {"shard_weights", 1}},
};

struct LayoutCase {
    Case fixture_case;
    Layout layout;
};

void PrintTo(const LayoutCase& value, std::ostream* out) {
    PrintTo(value.fixture_case, out);
    *out << " on " << name_of(value.layout);
}

/// Whether the transformer has heads for all ranks.
bool is_allowed(const Case& each, const Layout& layout) {
    const auto degree = [&](const char* name) {
        return layout.contains(name) ? layout.at(name) : 1;
    };
    const int heads = heads_of(each.fixture);
    return degree("tensor") <= heads && degree("ulysses") <= heads / degree("tensor");
}

/// Every case of a component on `count` layouts that its model allows, in turn, so that all are
/// met.
std::vector<LayoutCase> layout_cases(const std::string& component,
                                     const std::vector<Layout>& layouts,
                                     std::size_t count) {
    std::vector<LayoutCase> cases;
    std::size_t next = 0;
    for (const Case& each : cases_where([&](const nlohmann::json& entry) {
             return entry.at("kind") == "eval" && entry.at("component") == component;
         })) {
        for (std::size_t taken = 0, tried = 0; taken < count && tried < layouts.size(); ++tried) {
            const Layout& layout = layouts[next++ % layouts.size()];
            if (component != "transformer" || is_allowed(each, layout)) {
                cases.push_back({each, layout});
                ++taken;
            }
        }
    }
    return cases;
}

class ComponentLayout : public Stores, public testing::WithParamInterface<LayoutCase> {};

TEST_P(ComponentLayout, equals_the_reference) {
    const auto& [each, layout] = GetParam();
    const std::filesystem::path out = scratch("out.safetensors");
    std::vector<std::string> arguments{"eval",
                                       each.entry.at("component"),
                                       "--store=" + store_of(each.fixture).string(),
                                       "--in=" + each.file("in").string(),
                                       "--out=" + out.string()};
    for (const auto& [name, degree] : layout) {
        arguments.push_back("--parallel." + name + "=" + std::to_string(degree));
    }

    const Outcome outcome = run_program(arguments, ranks_of(layout));

    ASSERT_EQ(outcome.exit_code, 0) << outcome.output;
    expect_within_tolerance(out, each);
}

struct LayoutCaseName {
    std::string operator()(const testing::TestParamInfo<LayoutCase>& each) const {
        const Case& fixture_case = each.param.fixture_case;
        return fixture_case.fixture.name + "_" + fixture_case.name() + "_" +
               name_of(each.param.layout);
    }
};

INSTANTIATE_TEST_SUITE_P(transformer,
                         ComponentLayout,
                         testing::ValuesIn(layout_cases("transformer", transformer_layouts, 2)),
                         LayoutCaseName{});
INSTANTIATE_TEST_SUITE_P(text_encoder,
                         ComponentLayout,
                         testing::ValuesIn(layout_cases("text_encoder", text_layouts, 1)),
                         LayoutCaseName{});

}  // namespace
}  // namespace reelyard::parity
