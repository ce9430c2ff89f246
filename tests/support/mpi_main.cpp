#include <gmock/gmock.h>
#include <mpi.h>

#include "reelyard/mpi/session.hpp"

#include "rank_failures.hpp"

int main(int argc, char** argv) {
    const reelyard::mpi::Session session(argc, argv);
    testing::InitGoogleMock(&argc, argv);

    int rank = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    auto& listeners = testing::UnitTest::GetInstance()->listeners();
    if (rank != 0) {
        delete listeners.Release(listeners.default_result_printer());
        GTEST_FLAG_SET(output, "");
    }
    auto* failures = new reelyard::test::RankFailures(MPI_COMM_WORLD);
    listeners.Append(failures);  // takes ownership

    return failures->agreed_status(RUN_ALL_TESTS());
}
