#include <gtest/gtest.h>

#include "wan/fixtures.hpp"

// Prompts through cleaning and tokenizer, compared with those of diffusers and transformers.
namespace reelyard::parity {
namespace {

class TokenizerParity : public Stores, public testing::WithParamInterface<Case> {};

TEST_P(TokenizerParity, ids_equal_those_of_the_reference) {
    const Case& each = GetParam();
    const std::filesystem::path out = scratch(each.name() + ".safetensors");

    const Outcome outcome = run_program({"eval",
                                         "tokenizer",
                                         "--store",
                                         store_of(each.fixture).string(),
                                         "--text",
                                         each.entry.at("text"),
                                         "--out",
                                         out.string()});

    ASSERT_EQ(outcome.exit_code, 0) << outcome.output;
    for (const std::string& name : tensor_names(each.file("out"))) {
        const Values found = read_values(out, name);
        const Values expected = read_values(each.file("out"), name);
        EXPECT_EQ(found.shape, expected.shape) << name;
        EXPECT_EQ(found.values, expected.values) << name;
    }
}

INSTANTIATE_TEST_SUITE_P(wan,
                         TokenizerParity,
                         testing::ValuesIn(cases_where([](const nlohmann::json& entry) {
                             return entry.at("kind") == "eval" &&
                                    entry.at("component") == "tokenizer";
                         })),
                         CaseName{});

}  // namespace
}  // namespace reelyard::parity
