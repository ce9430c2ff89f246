#include "reelyard/pipeline/text_stage.hpp"

#include <cstddef>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include "reelyard/base/error.hpp"
#include "reelyard/mpi/agreement.hpp"
#include "reelyard/parallel/video_group.hpp"

#include "reelyard/test/shared_folder.hpp"

// Texts that ranks encode with one another: whatever becomes of one, all get to the end.
namespace reelyard::pipeline {
namespace {

using testing::HasSubstr;

/// As an encoder whose blocks are shared out: every text takes an exchange of all ranks.
class ExchangingConditioner final : public models::Conditioner {
public:
    explicit ExchangingConditioner(parallel::TensorComm& ranks) : ranks_(ranks) {}

    [[nodiscard]] models::Conditioning encode(const std::string& text) const override {
        require(text != "refused", ErrorKind::input, "this text cannot be");
        require(text != "broken", ErrorKind::resources, "out of memory");
        const at::Tensor sum = at::ones({4});
        ranks_.all_reduce(sum);
        return {{{"context", sum * static_cast<double>(text.size())}}};
    }

private:
    parallel::TensorComm& ranks_;
};

class TextStage : public testing::Test {
protected:
    [[nodiscard]] const mpi::Communicator& world() const { return folder_.world(); }

    void encode(const std::vector<std::string>& texts) const {
        const ParallelLayout layout{.ulysses = world().size(), .shard_weights = true};
        const parallel::ProcessGrid grid(world(), layout);
        const parallel::VideoGroup group = parallel::make_video_group(grid, 20.0);
        encode_texts(part_of_place(texts, layout, grid.position()),
                     ExchangingConditioner(*group.shards),
                     group,
                     cache_);
    }

    test::SharedFolder folder_;
    ConditioningCache cache_{folder_ / "texts", "model"};
};

TEST_F(TextStage, ranks_without_a_text_help_those_that_have_one) {
    std::vector<std::string> texts;
    for (int i = 0; i <= world().size(); ++i) {
        texts.push_back(std::string(static_cast<std::size_t>(i) + 1, 'x'));
    }

    encode(texts);

    world().barrier();
    for (const std::string& text : texts) {
        const double found = cache_.get(text, at::kCPU).tensors.at("context")[0].item<double>();
        EXPECT_EQ(found, static_cast<double>(text.size()) * world().size());
    }
}

TEST_F(TextStage, a_text_that_cannot_be_is_named_on_all_ranks_once_the_others_are_there) {
    const std::vector<std::string> texts{"a", "refused", "b", "c", "d", "e", "f"};

    std::string message;
    try {
        mpi::together(world(), [&] { encode(texts); });
    } catch (const Error& error) {
        EXPECT_TRUE(error.is_shared());
        EXPECT_EQ(error.kind(), ErrorKind::input);
        message = error.what();
    }

    EXPECT_THAT(message, HasSubstr("this text cannot be"));
    EXPECT_THAT(message, HasSubstr("encoding the text 'refused'"));
    for (const std::string& text : texts) {
        EXPECT_EQ(cache_.contains(text), text != "refused") << text;
    }
}

TEST_F(TextStage, a_rank_that_fails_alone_is_named) {
    const ParallelLayout layout{.ulysses = world().size(), .shard_weights = true};
    const parallel::VideoGroup group =
        parallel::make_video_group(parallel::ProcessGrid(world(), layout), 20.0);
    const ExchangingConditioner conditioner(*group.shards);
    const TextPart part{.texts = {"broken"}, .passes = 1};
    if (world().rank() != 1) {
        return;  // they would wait for it until the job ends
    }

    try {
        encode_texts(part, conditioner, group, cache_);
        FAIL() << "nothing was thrown";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::communication);
        EXPECT_THAT(error.what(),
                    HasSubstr("rank 1 of the " + std::to_string(world().size()) +
                              " ranks that encode texts together: out of memory"));
    }
}

}  // namespace
}  // namespace reelyard::pipeline
