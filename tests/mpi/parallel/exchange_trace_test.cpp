#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "reelyard/parallel/mpi_backend.hpp"
#include "reelyard/parallel/tensor_comm.hpp"
#include "reelyard/spec/shard.hpp"
#include "reelyard/trace/recorder.hpp"

#include "reelyard/test/shared_folder.hpp"

// What a group records of its exchanges.
namespace reelyard::parallel {
namespace {

using trace::Event;

class ExchangeTrace : public testing::Test {
protected:
    [[nodiscard]] std::vector<Event> events(Event::Kind kind) const {
        std::vector<Event> found;
        for (const Event& event : recorder_.events()) {
            if (event.kind == kind) {
                found.push_back(event);
            }
        }
        return found;
    }
    [[nodiscard]] std::vector<Event> exchanges() const { return events(Event::Kind::exchange); }
    [[nodiscard]] std::vector<Event> waits() const { return events(Event::Kind::wait); }

    [[nodiscard]] TensorComm::Tensors tensors(std::int64_t numbers) const {
        TensorComm::Tensors made;
        for (int rank = 0; rank < comm_.size(); ++rank) {
            made.push_back(at::zeros({numbers}, at::kFloat));
        }
        return made;
    }

    trace::Recorder recorder_;
    TensorComm comm_{"test group", make_mpi_backend(test::world()), 60.0, {}, &recorder_};
};

TEST_F(ExchangeTrace, has_every_operation_with_the_bytes_that_come_from_others) {
    constexpr std::int64_t numbers = 100;  // not the same share for all of 3 ranks
    constexpr std::int64_t bytes = 4 * numbers;
    const std::int64_t others = comm_.size() - 1;
    const Interval share = shard_of(numbers, 1, {.degree = comm_.size(), .index = comm_.rank()});
    const std::int64_t own = 4 * (share.end - share.begin);
    const at::Tensor data = at::zeros({numbers}, at::kFloat);
    const at::Tensor other = at::zeros({numbers}, at::kFloat);

    comm_.all_reduce(data);
    comm_.all_gather(data, tensors(numbers));
    comm_.reduce_scatter(tensors(numbers), data);
    comm_.all_to_all(tensors(numbers), tensors(numbers));
    comm_.broadcast(data, 0);
    comm_.rotate(data, other);

    const std::vector<std::pair<std::string, std::int64_t>> expected{
        {"test all-reduce", others * own + bytes - own},
        {"test all-gather", others * bytes},
        {"test reduce-scatter", others * bytes},
        {"test all-to-all", others * bytes},
        {"test broadcast", comm_.rank() == 0 ? 0 : bytes},
        {"test rotate", bytes}};
    const std::vector<Event> found = exchanges();
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
        EXPECT_EQ(found[i].row, "test group");
        EXPECT_EQ(found[i].name, expected[i].first);
        EXPECT_EQ(found[i].bytes, expected[i].second) << expected[i].first;
    }
}

TEST_F(ExchangeTrace, waits_lie_in_their_exchange_and_those_follow_one_another) {
    const at::Tensor data = at::zeros({1000}, at::kFloat);
    comm_.all_reduce(data);
    comm_.barrier();

    const std::vector<Event> found = exchanges();
    const std::vector<Event> waited = waits();
    ASSERT_EQ(found.size(), 2U);
    ASSERT_EQ(waited.size(), 2U);
    for (std::size_t i = 0; i < found.size(); ++i) {
        EXPECT_LE(found[i].begin, waited[i].begin);
        EXPECT_EQ(found[i].end, waited[i].end);
    }
    EXPECT_LE(found[0].end, found[1].begin);
}

TEST_F(ExchangeTrace, is_found_through_without_waiting) {
    Pending pending = comm_.start_all_gather(at::zeros({10}, at::kFloat), tensors(10));
    while (!pending.test()) {
    }
    pending.wait();

    EXPECT_EQ(exchanges().size(), 1U);
    EXPECT_TRUE(waits().empty());
}

TEST_F(ExchangeTrace, of_one_rank_alone_is_empty) {
    TensorComm alone("alone", nullptr, 60.0, {}, &recorder_);

    alone.all_reduce(at::zeros({10}, at::kFloat));
    alone.rotate(at::zeros({10}, at::kFloat), at::zeros({10}, at::kFloat));

    EXPECT_TRUE(recorder_.events().empty());
}

}  // namespace
}  // namespace reelyard::parallel
