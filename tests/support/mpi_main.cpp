#include <gmock/gmock.h>

#include "reelyard/mpi/session.hpp"

#include "rank_failures.hpp"

int main(int argc, char** argv) {
    const reelyard::mpi::Session session(&argc, &argv);
    testing::InitGoogleMock(&argc, argv);

    auto& listeners = testing::UnitTest::GetInstance()->listeners();
    if (session.world().rank() != 0) {
        delete listeners.Release(listeners.default_result_printer());
        GTEST_FLAG_SET(output, "");
    }
    auto* failures = new reelyard::test::RankFailures(session.world().duplicate());
    listeners.Append(failures);

    const int status = failures->agreed_status(RUN_ALL_TESTS());
    // The communicator inside has to go before MPI does.
    delete listeners.Release(failures);
    return status;
}
