#pragma once

#include <string>

#include <gtest/gtest.h>

#include "reelyard/mpi/communicator.hpp"

namespace reelyard::test {

/// Shows on rank 0 what failed on the other ranks; every rank must run the same tests.
class RankFailures final : public testing::EmptyTestEventListener {
public:
    explicit RankFailures(mpi::Communicator comm) : comm_(std::move(comm)) {}

    void OnTestPartResult(const testing::TestPartResult& result) override;
    /// Collective: waits for all ranks, then rank 0 prints their failures.
    void OnTestEnd(const testing::TestInfo& info) override;

    /// The exit status for all ranks: non-zero when it is so on any. Collective.
    [[nodiscard]] int agreed_status(int own_status) const {
        return static_cast<int>(comm_.max(own_status));
    }

private:
    mpi::Communicator comm_;
    std::string failures_;
};

}  // namespace reelyard::test
