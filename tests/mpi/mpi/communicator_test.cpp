#include "reelyard/mpi/communicator.hpp"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "reelyard/base/error.hpp"
#include "reelyard/mpi/check.hpp"

namespace reelyard::mpi {
namespace {

/// An own copy of the world, as Session::world() hands it out.
Communicator world() {
    MPI_Comm copy = MPI_COMM_NULL;
    check(MPI_Comm_dup(MPI_COMM_WORLD, &copy), "MPI_Comm_dup");
    return Communicator::adopt(copy);
}

/// Bytes that differ from rank to rank and from place to place.
std::vector<std::byte> pattern(std::size_t size, int rank) {
    std::vector<std::byte> bytes(size);
    for (std::size_t i = 0; i < size; ++i) {
        bytes[i] = static_cast<std::byte>((i * 31 + static_cast<std::size_t>(rank) * 7 + 1) % 251);
    }
    return bytes;
}

TEST(Communicator, broadcasts_in_many_chunks) {
    Communicator comm = world();
    comm.limit_chunks(1000);
    const int root = comm.size() - 1;
    auto data = comm.rank() == root ? pattern(123457, root) : std::vector<std::byte>(123457);

    comm.broadcast(data, root);

    EXPECT_EQ(data, pattern(123457, root));
}

TEST(Communicator, broadcasts_text_with_any_bytes) {
    const Communicator comm = world();
    const std::string text("zero \0 inside", 13);

    const std::string got = comm.broadcast_text(comm.rank() == 0 ? text : "other", 0);

    EXPECT_EQ(got, text);
}

TEST(Communicator, knows_its_ranks_in_a_larger_one) {
    const Communicator all = world();
    const Communicator part = all.split(all.rank() % 2, -all.rank());

    const std::vector<int> found = part.ranks_in(all);

    ASSERT_EQ(static_cast<int>(found.size()), part.size());
    EXPECT_EQ(found[static_cast<std::size_t>(part.rank())], all.rank());
    EXPECT_TRUE(std::is_sorted(found.rbegin(), found.rend()));
}

TEST(Communicator, gathers_uneven_parts_in_place) {
    Communicator comm = world();
    comm.limit_chunks(777);  // does not divide any part
    std::vector<std::int64_t> offsets{5};
    for (int r = 0; r < comm.size(); ++r) {
        const std::int64_t size = r == 1 ? 0 : 10'000 + 1'234 * r;  // one part is empty
        offsets.push_back(offsets.back() + size);
    }
    std::vector<std::byte> data(static_cast<std::size_t>(offsets.back()) + 3, std::byte{255});
    const auto put = [&](std::vector<std::byte>& into, int r) {
        const auto begin = static_cast<std::size_t>(offsets[static_cast<std::size_t>(r)]);
        const auto end = static_cast<std::size_t>(offsets[static_cast<std::size_t>(r) + 1]);
        const auto part = pattern(end - begin, r);
        std::copy(part.begin(), part.end(), into.begin() + static_cast<std::ptrdiff_t>(begin));
    };
    std::vector<std::byte> expected = data;
    for (int r = 0; r < comm.size(); ++r) {
        put(expected, r);
    }
    put(data, comm.rank());

    comm.all_gather_in_place(data, offsets);

    EXPECT_EQ(data, expected);  // what lies before and behind the parts is untouched
}

TEST(Communicator, gathers_texts_in_rank_order_on_the_root) {
    Communicator comm = world();
    comm.limit_chunks(3);
    const auto text_of = [](int rank) {
        return std::string(static_cast<std::size_t>(rank) * 5, 'a');
    };
    const int root = comm.size() / 2;

    const auto texts = comm.gather_texts(text_of(comm.rank()), root);

    if (comm.rank() != root) {
        EXPECT_TRUE(texts.empty());
        return;
    }
    ASSERT_EQ(static_cast<int>(texts.size()), comm.size());
    for (int r = 0; r < comm.size(); ++r) {
        EXPECT_EQ(texts[static_cast<std::size_t>(r)], text_of(r));
    }
}

TEST(Communicator, sums_and_finds_the_largest) {
    const Communicator comm = world();
    const std::int64_t big = std::int64_t{1} << 40;

    EXPECT_EQ(comm.sum(big + comm.rank()), comm.size() * big + comm.size() * (comm.size() - 1) / 2);
    EXPECT_EQ(comm.max(-big + comm.rank()), -big + comm.size() - 1);
}

TEST(Communicator, splits_by_colour_and_orders_by_key) {
    const Communicator comm = world();

    const Communicator half = comm.split(comm.rank() % 2, -comm.rank());

    const int members = (comm.size() + 1 - comm.rank() % 2) / 2;
    EXPECT_EQ(half.size(), members);
    EXPECT_EQ(half.rank(), members - 1 - comm.rank() / 2);
    EXPECT_EQ(comm.split_by_node().size(), comm.size());  // tests run on one node
}

TEST(Communicator, sends_text_to_a_rank_that_probes) {
    const Communicator comm = world().duplicate();
    const int right = (comm.rank() + 1) % comm.size();
    const int left = (comm.rank() + comm.size() - 1) % comm.size();
    EXPECT_FALSE(comm.probe().has_value());
    comm.barrier();

    std::thread sender([&] { comm.send_text("from " + std::to_string(comm.rank()), right, 42); });
    std::optional<Envelope> envelope;
    while (!envelope) {
        envelope = comm.probe();
    }
    const std::string text = comm.receive_text(envelope->source, envelope->tag);
    sender.join();

    const std::string expected = "from " + std::to_string(left);
    EXPECT_EQ(envelope->source, left);
    EXPECT_EQ(envelope->tag, 42);
    EXPECT_EQ(envelope->bytes, static_cast<std::int64_t>(expected.size()));
    EXPECT_EQ(text, expected);
}

TEST(Communicator, throws_instead_of_ending_the_program) {
    const Communicator comm = world().split(0, 0);
    std::vector<std::byte> data(8);

    try {
        comm.broadcast(data, comm.size() + 5);
        FAIL() << "a root outside the group was accepted";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::communication);
        EXPECT_NE(error.message().find("MPI_Bcast"), std::string::npos) << error.message();
    }
}

TEST(Check, reports_failures_on_the_own_communicator_of_a_rank_too) {
    int value = 0;

    EXPECT_THROW(check(MPI_Bcast(&value, 1, MPI_INT, 7, MPI_COMM_SELF), "MPI_Bcast"), Error);
}

}  // namespace
}  // namespace reelyard::mpi
