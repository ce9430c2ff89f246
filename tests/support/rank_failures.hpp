#pragma once

#include <string>

#include <gtest/gtest.h>
#include <mpi.h>

namespace reelyard::test {

/// Shows on rank 0 what failed on the other ranks; every rank must run the same tests.
class RankFailures final : public testing::EmptyTestEventListener {
public:
    explicit RankFailures(MPI_Comm comm);

    void OnTestPartResult(const testing::TestPartResult& result) override;
    /// Collective: waits for all ranks, then rank 0 prints their failures.
    void OnTestEnd(const testing::TestInfo& info) override;

    /// The test run's exit status for all ranks: non-zero when it is so on any. Collective.
    [[nodiscard]] int agreed_status(int own_status) const;

private:
    MPI_Comm comm_;
    int rank_ = 0;
    int size_ = 1;
    std::string failures_;
};

}  // namespace reelyard::test
