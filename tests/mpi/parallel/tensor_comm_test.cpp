#include "reelyard/parallel/tensor_comm.hpp"

#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gmock/gmock.h>

#include "reelyard/base/error.hpp"
#include "reelyard/parallel/mpi_backend.hpp"

#include "reelyard/test/shared_folder.hpp"

namespace reelyard::parallel {
namespace {

using testing::AllOf;
using testing::HasSubstr;

/// Messages that find each other by their order alone, as those between GPUs do: MPI keeps the
/// order of what goes from one rank to another with one tag.
class OrderedBackend final : public MessageBackend {
public:
    explicit OrderedBackend(mpi::Communicator ranks) : inner_(make_mpi_backend(std::move(ranks))) {}

    [[nodiscard]] int rank() const override { return inner_->rank(); }
    [[nodiscard]] int size() const override { return inner_->size(); }
    [[nodiscard]] bool is_ordered() const override { return true; }
    [[nodiscard]] std::unique_ptr<Transfer> start(const std::vector<Message>& sent,
                                                  const std::vector<Message>& received,
                                                  int /*tag*/) override {
        return inner_->start(sent, received, 0);
    }

private:
    std::unique_ptr<MessageBackend> inner_;
};

struct Backend {
    std::string name;
    std::unique_ptr<MessageBackend> (*make)(mpi::Communicator ranks);
};

/// A group of all ranks, whose messages go in small chunks.
class TensorCommTest : public testing::TestWithParam<Backend> {
protected:
    TensorCommTest() : comm_("test group", make_backend(), 60.0) {}

    static std::unique_ptr<MessageBackend> make_backend() {
        mpi::Communicator ranks = test::world();
        ranks.limit_chunks(1000);
        return ranks.size() == 1 ? nullptr : GetParam().make(std::move(ranks));
    }

    /// What rank `rank` has: known to all, so that each can tell what should come out.
    [[nodiscard]] static at::Tensor values(int rank, std::int64_t count, at::ScalarType type) {
        auto generator = at::make_generator<at::CPUGeneratorImpl>(static_cast<std::uint64_t>(rank));
        const at::Tensor numbers = at::randn({count}, generator, at::TensorOptions(at::kFloat));
        return type == at::kLong ? (numbers * 1e6).to(type) : numbers.to(type);
    }

    /// Sizes that differ from pair to pair; some are 0.
    [[nodiscard]] static std::int64_t uneven(int from, int to) {
        return (from * 7 + to * 13) % 5 == 0 ? 0 : 100 + 97 * from + 31 * to;
    }

    /// Different from rank to rank and the same each time: numbers from 0 on.
    [[nodiscard]] static at::Tensor numbered(std::int64_t first, std::int64_t count) {
        return at::arange(first, first + count, at::kLong);
    }

    [[nodiscard]] std::size_t own() const { return static_cast<std::size_t>(comm_.rank()); }

    TensorComm comm_;
};

TEST_P(TensorCommTest, all_reduce_adds_in_the_order_of_the_ranks_and_rounds_once) {
    for (const at::ScalarType type :
         {at::kFloat, at::kBFloat16, at::kHalf, at::kDouble, at::kLong}) {
        for (const std::int64_t count : {0, 1, 3, 5000}) {
            SCOPED_TRACE(std::to_string(count));
            at::Tensor data = values(comm_.rank(), count, type);
            const bool is_half = type == at::kBFloat16 || type == at::kHalf;
            at::Tensor expected = values(0, count, type).to(is_half ? at::kFloat : type);
            for (int rank = 1; rank < comm_.size(); ++rank) {
                expected = expected + values(rank, count, type);
            }

            comm_.all_reduce(data);

            EXPECT_TRUE(at::equal(data, expected.to(type)));
        }
    }
}

TEST_P(TensorCommTest, all_gather_brings_uneven_parts_to_all) {
    TensorComm::Tensors parts;
    for (int rank = 0; rank < comm_.size(); ++rank) {
        parts.push_back(at::zeros({uneven(rank, 0)}, at::kLong));
    }

    comm_.all_gather(numbered(comm_.rank(), uneven(comm_.rank(), 0)), parts);

    for (int rank = 0; rank < comm_.size(); ++rank) {
        EXPECT_TRUE(
            at::equal(parts[static_cast<std::size_t>(rank)], numbered(rank, uneven(rank, 0))));
    }
}

TEST_P(TensorCommTest, all_gather_takes_the_own_part_where_it_is) {
    const at::Tensor whole = at::zeros({comm_.size(), 10}, at::kLong);
    TensorComm::Tensors parts;
    for (int rank = 0; rank < comm_.size(); ++rank) {
        parts.push_back(whole[rank]);
    }
    whole[comm_.rank()].fill_(comm_.rank() + 1);

    comm_.all_gather(parts[own()], parts);

    EXPECT_TRUE(at::equal(whole.select(1, 9), numbered(1, comm_.size())));
}

TEST_P(TensorCommTest, reduce_scatter_gives_each_its_sum) {
    const std::int64_t count = uneven(comm_.rank(), 1);
    TensorComm::Tensors parts;
    for (int rank = 0; rank < comm_.size(); ++rank) {
        parts.push_back(at::full({uneven(rank, 1)}, (comm_.rank() + 1) * (rank + 1), at::kFloat));
    }
    const at::Tensor sum = at::empty({count}, at::kFloat);

    comm_.reduce_scatter(parts, sum);

    const int all = comm_.size() * (comm_.size() + 1) / 2;
    EXPECT_TRUE(at::equal(sum, at::full({count}, all * (comm_.rank() + 1), at::kFloat)));
}

TEST_P(TensorCommTest, all_to_all_swaps_uneven_and_empty_parts) {
    TensorComm::Tensors sent;
    TensorComm::Tensors received;
    for (int peer = 0; peer < comm_.size(); ++peer) {
        sent.push_back(numbered(1000 * comm_.rank() + peer, uneven(comm_.rank(), peer)));
        received.push_back(at::zeros({uneven(peer, comm_.rank())}, at::kLong));
    }

    comm_.all_to_all(sent, received);

    for (int peer = 0; peer < comm_.size(); ++peer) {
        EXPECT_TRUE(at::equal(received[static_cast<std::size_t>(peer)],
                              numbered(1000 * peer + comm_.rank(), uneven(peer, comm_.rank()))));
    }
}

TEST_P(TensorCommTest, broadcast_reaches_all_from_any_root) {
    for (int root = 0; root < comm_.size(); ++root) {
        const at::Tensor data = at::full({777}, comm_.rank(), at::kFloat);

        comm_.broadcast(data, root);

        EXPECT_TRUE(at::equal(data, at::full({777}, root, at::kFloat)));
    }
}

TEST_P(TensorCommTest, rotating_goes_all_the_way_round) {
    at::Tensor present = numbered(comm_.rank(), 300 + comm_.rank());
    for (int step = 1; step <= comm_.size(); ++step) {
        const int holder = (comm_.rank() + comm_.size() - step % comm_.size()) % comm_.size();
        const at::Tensor next = at::empty({300 + holder}, at::kLong);
        comm_.rotate(present, next);
        EXPECT_TRUE(at::equal(next, numbered(holder, 300 + holder)));
        present = next;
    }
}

TEST_P(TensorCommTest, what_was_started_can_be_waited_for_in_any_order) {
    std::mt19937 random(7);
    for (int round = 0; round < 20; ++round) {
        std::vector<at::Tensor> data;
        std::vector<Pending> pending;
        for (int i = 0; i < 6; ++i) {
            data.push_back(at::full({500 + 100 * i}, comm_.rank() + i, at::kFloat));
            pending.push_back(comm_.start_all_reduce(data.back()));
            // Ranks differ in how far they are when they start the next one.
            if (comm_.rank() % 2 == i % 2) {
                (void)pending[random() % pending.size()].test();
            }
        }
        for (std::size_t i = pending.size(); i > 0; --i) {
            pending[i - 1].wait();
        }
        const int ranks = comm_.size() * (comm_.size() - 1) / 2;
        for (int i = 0; i < 6; ++i) {
            const at::Tensor expected =
                at::full({500 + 100 * i}, ranks + i * comm_.size(), at::kFloat);
            ASSERT_TRUE(at::equal(data[static_cast<std::size_t>(i)], expected));
        }
    }
}

TEST_P(TensorCommTest, ranks_may_be_in_different_stages_of_an_operation) {
    const mpi::Communicator ranks = test::world();
    for (int round = 0; round < 20; ++round) {
        const at::Tensor first = at::full({240}, comm_.rank(), at::kFloat);
        const at::Tensor second = at::full({240}, comm_.rank() + 1000, at::kFloat);

        Pending first_pending = comm_.start_all_reduce(first);
        ranks.barrier();
        for (int looks = 0; looks < 100 && comm_.rank() % 2 == 0; ++looks) {
            (void)first_pending.test();  // goes on to the second stage, the others do not
        }
        Pending second_pending = comm_.start_all_reduce(second);
        second_pending.wait();
        first_pending.wait();

        const int sum = comm_.size() * (comm_.size() - 1) / 2;
        ASSERT_TRUE(at::equal(first, at::full({240}, sum, at::kFloat)));
        ASSERT_TRUE(at::equal(second, at::full({240}, sum + 1000 * comm_.size(), at::kFloat)));
    }
}

TEST_P(TensorCommTest, nobody_leaves_a_barrier_before_all_are_there) {
    const test::SharedFolder folder;
    const auto mark_of = [&](int rank) {
        return folder / ("here-" + std::to_string(rank));
    };
    std::ofstream(mark_of(comm_.rank())) << "";

    comm_.barrier();

    for (int rank = 0; rank < comm_.size(); ++rank) {
        EXPECT_TRUE(std::filesystem::exists(mark_of(rank))) << rank;
    }
}

TEST_P(TensorCommTest, what_is_received_is_counted) {
    const at::Tensor data = at::zeros({1200}, at::kFloat);

    comm_.all_reduce(data);

    const TensorComm::Volume volume = comm_.volumes().at("all-reduce");
    EXPECT_EQ(volume.calls, 1);
    EXPECT_EQ(volume.bytes, 2 * 1200 * 4 * (comm_.size() - 1) / comm_.size());
}

TEST_P(TensorCommTest, a_rank_that_does_not_come_is_named) {
    if (comm_.size() == 1) {
        GTEST_SKIP() << "needs others to wait for";
    }
    TensorComm impatient("tensor group of replica 3", make_backend(), 0.2);
    const int absent = comm_.size() - 1;
    if (comm_.rank() != absent) {
        try {
            impatient.barrier();
            ADD_FAILURE() << "nobody was missed";
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::communication);
            EXPECT_THAT(error.message(),
                        AllOf(HasSubstr("tensor group of replica 3"),
                              HasSubstr("barrier"),
                              HasSubstr("no answer from rank " + std::to_string(absent))));
        }
    }
    comm_.barrier();
}

const std::vector<Backend> backends{
    {"mpi",
     [](mpi::Communicator ranks) {
         return make_mpi_backend(std::move(ranks));
     }},
    {"ordered",
     [](mpi::Communicator ranks) -> std::unique_ptr<MessageBackend> {
         return std::make_unique<OrderedBackend>(std::move(ranks));
     }},
};

INSTANTIATE_TEST_SUITE_P(Backends,
                         TensorCommTest,
                         testing::ValuesIn(backends),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace reelyard::parallel
