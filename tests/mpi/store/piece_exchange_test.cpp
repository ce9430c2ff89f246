#include "stage/piece_exchange.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "reelyard/mpi/agreement.hpp"

#include "reelyard/test/shared_folder.hpp"

namespace reelyard::store {
namespace {

using testing::HasSubstr;

constexpr std::int64_t piece = 4096;

/// A file of many small pieces, and an empty one for each node.
class PieceExchangeTest : public testing::TestWithParam<int> {
protected:
    PieceExchangeTest()
        : layout_(folder_.world(), GetParam())
        , target_(folder_ / ("copy-" + std::to_string(layout_.own_node()))) {
        if (world().rank() == 0) {
            std::mt19937 random(5);
            std::string content(static_cast<std::size_t>(file_bytes), ' ');
            std::generate(
                content.begin(), content.end(), [&] { return static_cast<char>(random()); });
            std::ofstream(source(), std::ios::binary) << content;
        }
        if (layout_.node().rank() == 0) {
            std::ofstream(target_, std::ios::binary) << "";
        }
        world().barrier();
    }

    [[nodiscard]] const mpi::Communicator& world() const { return folder_.world(); }
    [[nodiscard]] std::filesystem::path source() const { return folder_ / "source"; }

    [[nodiscard]] StagePlan plan() const {
        std::vector<int> ranks;
        for (int node = 0; node < layout_.nodes(); ++node) {
            ranks.push_back(static_cast<int>(layout_.ranks_of(node).size()));
        }
        return {file_bytes, ranks, piece};
    }

    static std::string content_of(const std::filesystem::path& path) {
        std::ifstream file(path, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }

    static constexpr std::int64_t file_bytes = 300 * piece + 17;
    test::SharedFolder folder_;
    mpi::NodeLayout layout_;
    std::filesystem::path target_;
};

TEST_P(PieceExchangeTest, copies_the_file_to_every_node_and_reads_it_once) {
    for (const std::int64_t chunk : {std::int64_t{1} << 30, std::int64_t{1000}}) {
        auto ranks = world().duplicate();
        ranks.limit_chunks(chunk);
        PieceExchange exchange(plan(), ranks, layout_, source(), target_);

        for (std::int64_t end = 0; end < plan().steps();) {
            end += plan().steps_per_round();
            mpi::agree(ranks, exchange.run_until(end));
        }

        world().barrier();
        EXPECT_TRUE(content_of(target_) == content_of(source()));
        EXPECT_EQ(world().sum(exchange.bytes_read()), file_bytes);
        EXPECT_EQ(world().sum(exchange.bytes_written()), file_bytes * layout_.nodes());
        world().barrier();
        if (layout_.node().rank() == 0) {
            std::ofstream(target_, std::ios::binary | std::ios::trunc) << "";
        }
        world().barrier();
    }
}

TEST_P(PieceExchangeTest, ends_on_all_ranks_when_the_file_is_cut_short) {
    PieceExchange exchange(plan(), world(), layout_, source(), target_);
    world().barrier();
    if (world().rank() == 0) {
        std::filesystem::resize_file(source(), 250 * piece);
    }
    world().barrier();

    std::string message;
    try {
        for (std::int64_t end = 0; end < plan().steps();) {
            end += plan().steps_per_round();
            mpi::agree(world(), exchange.run_until(end));
        }
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::storage);
        message = error.what();
    }

    EXPECT_THAT(message, HasSubstr("cut short"));
}

INSTANTIATE_TEST_SUITE_P(ranks_per_node, PieceExchangeTest, testing::Values(0, 1, 2, 3));

}  // namespace
}  // namespace reelyard::store
