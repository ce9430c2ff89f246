#include "reelyard/pipeline/text_stage.hpp"

#include <algorithm>
#include <filesystem>
#include <map>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "reelyard/base/error.hpp"
#include "reelyard/spec/parallel_layout.hpp"

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

const std::vector<std::string> seven_texts{"ggggggg", "ffffff", "eeeee", "dddd", "ccc", "bb", "a"};

TEST(TextStage, every_text_is_kept_once_whatever_ranks_share) {
    for (const ParallelLayout& layout :
         {ParallelLayout{.tensor = 3},
          ParallelLayout{.replicas = 2, .tensor = 2},
          ParallelLayout{.ulysses = 4, .shard_weights = true},
          ParallelLayout{.replicas = 3, .cfg = 2, .ring = 2, .tensor = 2, .shard_weights = true}}) {
        SCOPED_TRACE(to_string(layout));
        std::map<std::string, int> kept;
        for (int place = 0; place < layout.used_ranks(); ++place) {
            const TextPart part = part_of_place(seven_texts, layout, position_of(place, layout));
            for (const std::string& text : part.texts) {
                kept[text] += part.keeps ? 1 : 0;
            }
        }
        EXPECT_EQ(kept.size(), seven_texts.size());
        for (const auto& [text, count] : kept) {
            EXPECT_EQ(count, 1) << text;
        }
    }
}

TEST(TextStage, ranks_with_slices_of_one_encoder_encode_the_same_texts) {
    const ParallelLayout layout{.replicas = 2, .tensor = 2};

    const TextPart first = part_of_place(seven_texts, layout, {.replica = 1, .tensor = 0});
    const TextPart second = part_of_place(seven_texts, layout, {.replica = 1, .tensor = 1});

    EXPECT_EQ(first.texts, (std::vector<std::string>{"ffffff", "dddd", "bb"}));
    EXPECT_EQ(second.texts, first.texts);
    EXPECT_EQ(first.passes, 3U);
    EXPECT_TRUE(first.keeps);
    EXPECT_FALSE(second.keeps);
}

TEST(TextStage, ranks_that_share_weights_go_through_the_encoder_equally_often) {
    const ParallelLayout layout{.replicas = 2, .ulysses = 2, .tensor = 2, .shard_weights = true};
    std::map<int, std::vector<std::size_t>> passes;  // by replica
    std::map<int, std::size_t> most;
    for (int place = 0; place < layout.used_ranks(); ++place) {
        const GridPosition position = position_of(place, layout);
        const TextPart part = part_of_place(seven_texts, layout, position);
        passes[position.replica].push_back(part.passes);
        most[position.replica] = std::max(most[position.replica], part.texts.size());
    }

    for (const auto& [replica, counts] : passes) {
        EXPECT_EQ(counts, std::vector<std::size_t>(4, most[replica])) << replica;
    }
    EXPECT_EQ(most[0], 2U);
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

    const parallel::VideoGroup alone = parallel::make_single_rank_group();
    encode_texts({.texts = {"four", "six666"}, .passes = 2}, LengthConditioner(), alone, cache);

    EXPECT_TRUE(cache.contains("four"));
    EXPECT_EQ(cache.get("six666", at::kCPU).tensors.at("context")[0][0].item<float>(), 6.0F);
    try {
        encode_texts({.texts = {"bad", "next"}, .passes = 2}, LengthConditioner(), alone, cache);
        FAIL() << "nothing was thrown";
    } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find("encoding the text 'bad'"), std::string::npos);
    }
    EXPECT_TRUE(cache.contains("next"));
    std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace reelyard::pipeline
