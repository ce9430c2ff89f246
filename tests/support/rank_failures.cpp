#include "rank_failures.hpp"

#include <cstdio>
#include <vector>

namespace reelyard::test {

RankFailures::RankFailures(MPI_Comm comm) : comm_(comm) {
    MPI_Comm_rank(comm_, &rank_);
    MPI_Comm_size(comm_, &size_);
}

void RankFailures::OnTestPartResult(const testing::TestPartResult& result) {
    if (!result.failed()) {
        return;
    }
    const char* file = result.file_name() == nullptr ? "unknown file" : result.file_name();
    failures_ += std::string(file) + ":" + std::to_string(result.line_number()) + ": " +
                 result.message() + "\n";
}

void RankFailures::OnTestEnd(const testing::TestInfo& info) {
    // Rank 0's own failures were printed where they happened.
    const int length = rank_ == 0 ? 0 : static_cast<int>(failures_.size());
    std::vector<int> lengths(static_cast<std::size_t>(size_));
    MPI_Gather(&length, 1, MPI_INT, lengths.data(), 1, MPI_INT, 0, comm_);

    std::vector<int> offsets(lengths.size(), 0);
    for (std::size_t i = 1; i < lengths.size(); ++i) {
        offsets[i] = offsets[i - 1] + lengths[i - 1];
    }
    std::string all(static_cast<std::size_t>(offsets.back() + lengths.back()), ' ');
    MPI_Gatherv(failures_.data(),
                length,
                MPI_CHAR,
                all.data(),
                lengths.data(),
                offsets.data(),
                MPI_CHAR,
                0,
                comm_);
    failures_.clear();

    for (std::size_t i = 1; rank_ == 0 && i < lengths.size(); ++i) {
        if (lengths[i] > 0) {
            const auto text = all.substr(static_cast<std::size_t>(offsets[i]),
                                         static_cast<std::size_t>(lengths[i]));
            std::printf("%s.%s failed on rank %zu:\n%s",
                        info.test_suite_name(),
                        info.name(),
                        i,
                        text.c_str());
        }
    }
    std::fflush(stdout);
}

int RankFailures::agreed_status(int own_status) const {
    int status = 0;
    MPI_Allreduce(&own_status, &status, 1, MPI_INT, MPI_MAX, comm_);
    return status;
}

}  // namespace reelyard::test
