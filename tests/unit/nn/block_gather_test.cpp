#include "reelyard/nn/split/block_gather.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "reelyard/base/format.hpp"

namespace reelyard::nn {
namespace {

/// The first of two ranks, and what the other one would send: each message takes a few looks to
/// arrive.
class SlowPeer final : public parallel::MessageBackend {
public:
    struct Record {
        int started = 0;
        int arrived = 0;
    };

    /// \param parts of the other rank, in the order in which blocks are gathered, again and again
    SlowPeer(std::vector<at::Tensor> parts, Record& record)
        : parts_(std::move(parts))
        , record_(record) {}

    [[nodiscard]] int rank() const override { return 0; }
    [[nodiscard]] int size() const override { return 2; }
    [[nodiscard]] bool is_ordered() const override { return false; }

    [[nodiscard]] std::unique_ptr<parallel::Transfer> start(
        const std::vector<parallel::Message>& /*sent*/,
        const std::vector<parallel::Message>& received,
        int /*tag*/) override {
        const at::Tensor& part = parts_[static_cast<std::size_t>(record_.started) % parts_.size()];
        ++record_.started;
        return std::make_unique<Arrival>(received.front().data, part, record_);
    }

private:
    class Arrival final : public parallel::Transfer {
    public:
        Arrival(at::Tensor place, at::Tensor part, Record& record)
            : place_(std::move(place))
            , part_(std::move(part))
            , record_(record) {}

        bool test() override {
            if (--looks_ > 0) {
                return false;
            }
            place_.copy_(part_);
            ++record_.arrived;
            return true;
        }
        [[nodiscard]] std::vector<int> missing() override { return {1}; }

    private:
        at::Tensor place_;
        at::Tensor part_;
        Record& record_;
        int looks_ = 3;
    };

    std::vector<at::Tensor> parts_;
    Record& record_;
};

/// Three blocks, so that a pass ends with the other buffer than it began with. They differ in size
/// and in how they are cut.
class BlockGatherTest : public testing::Test {
protected:
    BlockGatherTest() {
        std::vector<at::Tensor> others;
        for (const auto& [own, other] :
             {std::pair{64, 128}, std::pair{192, 64}, std::pair{0, 64}}) {
            const auto seed = static_cast<int>(wholes_.size());
            wholes_.push_back((at::arange(own + other) + 7 * seed).to(at::kByte));
            blocks_.push_back(
                {.cuts = {0, own, own + other}, .own = wholes_.back().narrow(0, 0, own).clone()});
            others.push_back(wholes_.back().narrow(0, own, other).clone());
        }
        ranks_ = std::make_unique<parallel::TensorComm>(
            "shards", std::make_unique<SlowPeer>(others, record_), 10.0);
    }

    SlowPeer::Record record_;
    std::vector<at::Tensor> wholes_;
    std::vector<BlockGather::Block> blocks_;
    std::unique_ptr<parallel::TensorComm> ranks_;
};

TEST_F(BlockGatherTest, puts_every_block_together_in_every_pass) {
    BlockGather gather(blocks_, *ranks_);
    for (int pass = 0; pass < 3; ++pass) {
        for (std::size_t i = 0; i < blocks_.size(); ++i) {
            EXPECT_TRUE(at::equal(gather.take(i), wholes_[i])) << pass << ' ' << i;
        }
    }
}

TEST_F(BlockGatherTest, the_next_block_is_under_way_while_one_is_used) {
    BlockGather gather(blocks_, *ranks_);
    for (int use = 0; use < 7; ++use) {
        (void)gather.take(static_cast<std::size_t>(use) % blocks_.size());

        EXPECT_EQ(record_.arrived, use + 1);
        EXPECT_EQ(record_.started, use + 2);
    }
}

TEST_F(BlockGatherTest, a_block_stays_as_it_is_while_the_next_one_arrives) {
    BlockGather gather(blocks_, *ranks_);
    for (int use = 0; use < 7; ++use) {
        const auto index = static_cast<std::size_t>(use) % blocks_.size();
        const at::Tensor whole = gather.take(index);
        while (record_.arrived < use + 2) {
            gather.progress();
        }

        EXPECT_TRUE(at::equal(whole, wholes_[index])) << use;
    }
}

TEST_F(BlockGatherTest, keeps_its_parts_and_two_buffers_of_the_largest_block) {
    const BlockGather gather(blocks_, *ranks_);

    EXPECT_EQ(gather.held_bytes(), 64 + 192 + 0 + 2 * 256);
}

TEST_F(BlockGatherTest, waits_for_what_is_under_way_before_it_goes) {
    {
        BlockGather gather(blocks_, *ranks_);
        (void)gather.take(0);
    }

    EXPECT_EQ(record_.arrived, record_.started);
}

}  // namespace
}  // namespace reelyard::nn
