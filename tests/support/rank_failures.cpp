#include "rank_failures.hpp"

#include <cstdio>

#include "reelyard/base/format.hpp"

namespace reelyard::test {

void RankFailures::OnTestPartResult(const testing::TestPartResult& result) {
    if (result.failed()) {
        const char* file = result.file_name() == nullptr ? "unknown file" : result.file_name();
        failures_ += fmt::format("{}:{}: {}\n", file, result.line_number(), result.message());
    }
}

void RankFailures::OnTestEnd(const testing::TestInfo& info) {
    const auto all = comm_.gather_texts(failures_, 0);
    failures_.clear();
    // Rank 0's own failures were printed where they happened.
    for (std::size_t rank = 1; rank < all.size(); ++rank) {
        if (!all[rank].empty()) {
            fmt::print("{}.{} failed on rank {}:\n{}",
                       info.test_suite_name(),
                       info.name(),
                       rank,
                       all[rank]);
        }
    }
    std::fflush(stdout);
}

}  // namespace reelyard::test
