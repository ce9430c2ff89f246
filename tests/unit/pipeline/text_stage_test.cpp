#include "reelyard/pipeline/text_stage.hpp"

#include <filesystem>
#include <map>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "reelyard/base/error.hpp"

namespace reelyard::pipeline {
namespace {

Task task(std::string prompt, std::string negative, double guidance_scale) {
    return {.prompt = std::move(prompt),
            .negative_prompt = std::move(negative),
            .guidance_scale = guidance_scale};
}

TEST(TextStage, each_text_is_listed_once_and_negatives_only_where_guidance_acts) {
    const std::vector<Task> tasks{
        task("cat", "blur", 5.0), task("dog", "noise", 1.0), task("cat", "blur", 3.0)};

    EXPECT_EQ(distinct_texts(tasks), (std::vector<std::string>{"blur", "cat", "dog"}));
}

TEST(TextStage, every_text_belongs_to_exactly_one_rank) {
    const std::vector<std::string> texts{"eeeee", "dddd", "ccc", "bb", "a"};
    for (int ranks = 1; ranks <= 7; ++ranks) {
        std::map<std::string, int> owners;
        std::size_t most = 0;
        for (int rank = 0; rank < ranks; ++rank) {
            const auto mine = texts_of_rank(texts, rank, ranks);
            most = std::max(most, mine.size());
            for (const std::string& text : mine) {
                ++owners[text];
            }
        }
        EXPECT_EQ(owners.size(), texts.size());
        for (const auto& [text, count] : owners) {
            EXPECT_EQ(count, 1) << text << " at " << ranks << " ranks";
        }
        EXPECT_EQ(
            most,
            (texts.size() + static_cast<std::size_t>(ranks) - 1) / static_cast<std::size_t>(ranks));
    }
}

class LengthConditioner final : public models::Conditioner {
public:
    models::Conditioning encode(const std::string& text) const override {
        require(text != "bad", ErrorKind::internal, "cannot");
        return {{{"context", at::full({1, 2}, static_cast<float>(text.size()))}}};
    }
};

TEST(TextStage, encodes_into_the_cache_and_says_which_text_failed) {
    const auto folder = std::filesystem::path(testing::TempDir()) / "text_stage_test";
    const ConditioningCache cache(folder, "model");

    encode_texts({"four", "six666"}, LengthConditioner(), cache);

    EXPECT_TRUE(cache.contains("four"));
    EXPECT_EQ(cache.get("six666", at::kCPU).tensors.at("context")[0][0].item<float>(), 6.0F);
    try {
        encode_texts({"bad"}, LengthConditioner(), cache);
        FAIL() << "nothing was thrown";
    } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find("encoding the text 'bad'"), std::string::npos);
    }
    std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace reelyard::pipeline
