#include "reelyard/text/tokenizer.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "reelyard/base/error.hpp"

namespace reelyard::text {
namespace {

using nlohmann::json;
using testing::HasSubstr;

std::string content(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

/// The files of a folder, as an imported checkpoint holds them.
CheckpointConfig files_of(const std::filesystem::path& folder) {
    CheckpointConfig config;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        config.files["tokenizer/" + entry.path().filename().string()] = content(entry.path());
    }
    return config;
}

CheckpointConfig fixture(const std::string& name) {
    return files_of(REELYARD_FIXTURES "/text/" + name);
}

CheckpointConfig demo() {
    return files_of(REELYARD_FIXTURES "/../../jobs/demo/wan-shapes/tokenizer");
}

/// tests/parity/make_tokenizer_fixtures.py asks transformers for what is expected.
void expect_golden_ids(const std::string& name, const CheckpointConfig& config) {
    const json golden = json::parse(content(REELYARD_FIXTURES "/text/" + name + ".json"));
    const auto tokenizer = make_sentencepiece_tokenizer(config);
    const auto max_length = golden.at("max_length").get<std::int64_t>();

    ASSERT_GE(golden.at("cases").size(), 200U);
    for (const json& one : golden.at("cases")) {
        const Tokens tokens = tokenizer->encode(one.at("text").get<std::string>(), max_length);
        auto ids = one.at("ids").get<std::vector<std::int64_t>>();
        const auto length = std::ssize(ids);
        std::vector<std::int64_t> mask(ids.size(), 1);
        ids.resize(static_cast<std::size_t>(max_length), golden.at("padding").get<std::int64_t>());
        mask.resize(static_cast<std::size_t>(max_length), 0);
        EXPECT_EQ(tokens.ids, ids) << one.at("text").dump(-1, ' ', true);
        EXPECT_EQ(tokens.mask, mask) << one.at("text").dump(-1, ' ', true);
        EXPECT_EQ(tokens.length, length);
    }
}

TEST(Tokenizer, equals_transformers_with_byte_pieces_and_300_sentinels) {
    expect_golden_ids("tokenizer_bytes", fixture("tokenizer_bytes"));
}

TEST(Tokenizer, equals_transformers_without_a_normaliser_and_with_flagged_sentinels) {
    expect_golden_ids("tokenizer_plain", fixture("tokenizer_plain"));
}

TEST(Tokenizer, equals_transformers_on_the_demo_model) {
    expect_golden_ids("tokenizer_demo", demo());
}

TEST(Tokenizer, reads_the_sentencepiece_model_where_there_is_no_json) {
    CheckpointConfig config = demo();
    config.files.erase("tokenizer/tokenizer.json");

    expect_golden_ids("tokenizer_demo", config);
}

TEST(Tokenizer, reads_the_json_where_there_is_no_sentencepiece_model) {
    CheckpointConfig config = demo();
    config.files.erase("tokenizer/spiece.model");

    expect_golden_ids("tokenizer_demo", config);
}

TEST(Tokenizer, keeps_the_end_mark_of_a_cut_text) {
    const auto tokenizer = make_sentencepiece_tokenizer(demo());
    const Tokens whole = tokenizer->encode("a red ball moving left", 64);

    const Tokens cut = tokenizer->encode("a red ball moving left", 4);
    const Tokens only_end = tokenizer->encode("a red ball moving left", 1);

    ASSERT_GT(whole.length, 4);
    EXPECT_EQ(cut.ids, (std::vector<std::int64_t>{whole.ids[0], whole.ids[1], whole.ids[2], 1}));
    EXPECT_EQ(only_end.ids, std::vector<std::int64_t>{1});
}

class BadTokenizer : public testing::Test {
protected:
    static std::string message(const CheckpointConfig& config) {
        try {
            (void)make_sentencepiece_tokenizer(config);
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::input);
            return error.what();
        }
        return "nothing thrown";
    }
};

TEST_F(BadTokenizer, names_the_missing_file) {
    EXPECT_THAT(message({}), HasSubstr("tokenizer/spiece.model"));
}

TEST_F(BadTokenizer, names_a_model_that_is_none) {
    CheckpointConfig config = fixture("tokenizer_plain");
    config.files["tokenizer/spiece.model"] = "not a model";
    EXPECT_THAT(message(config), HasSubstr("tokenizer/spiece.model: found 11 bytes"));

    const std::string whole = content(REELYARD_FIXTURES "/text/tokenizer_bytes/spiece.model");
    config.files["tokenizer/spiece.model"] = whole.substr(0, whole.size() / 2);
    EXPECT_THAT(message(config), HasSubstr("tokenizer/spiece.model"));
}

TEST_F(BadTokenizer, names_json_that_is_none_or_says_nothing) {
    CheckpointConfig config = fixture("tokenizer_plain");
    config.files["tokenizer/tokenizer_config.json"] = "{";
    EXPECT_THAT(message(config), HasSubstr("tokenizer/tokenizer_config.json"));

    config = fixture("tokenizer_plain");
    config.files["tokenizer/tokenizer_config.json"] = R"({"extra_ids": "many"})";
    EXPECT_THAT(message(config), HasSubstr("tokenizer/tokenizer_config.json"));

    config = demo();
    config.files["tokenizer/tokenizer.json"] = R"({"model": {"type": "BPE", "vocab": {}}})";
    EXPECT_THAT(message(config),
                HasSubstr("tokenizer/tokenizer.json: found a model of type 'BPE'"));
    config.files["tokenizer/tokenizer.json"] = R"({"model": {"vocab": [["a"]]}})";
    EXPECT_THAT(message(config), HasSubstr("tokenizer/tokenizer.json"));
}

TEST_F(BadTokenizer, refuses_a_character_map_that_is_cut) {
    CheckpointConfig config = demo();
    config.files["tokenizer/tokenizer.json"] =
        R"({"model": {"vocab": [["<pad>", 0], ["</s>", 0], ["<unk>", 0]]},
            "normalizer": {"type": "Precompiled", "precompiled_charsmap": "//8AAAA="}})";
    EXPECT_THAT(message(config), HasSubstr("precompiled_charsmap"));
}

TEST(Tokenizer, refuses_text_that_is_not_utf8) {
    EXPECT_THROW((void)make_sentencepiece_tokenizer(demo())->encode("caf\xE9", 8), Error);
}

}  // namespace
}  // namespace reelyard::text
