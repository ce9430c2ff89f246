#include "reelyard/mpi/session.hpp"

#include <gtest/gtest.h>

namespace reelyard::mpi {
namespace {

TEST(Session, gives_every_thread_the_right_to_communicate) {
    int provided = 0;
    MPI_Query_thread(&provided);

    EXPECT_EQ(provided, MPI_THREAD_MULTIPLE);
}

TEST(Session, names_the_library_found) {
    EXPECT_FALSE(library_version().empty());
}

}  // namespace
}  // namespace reelyard::mpi
