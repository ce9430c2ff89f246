#include "reelyard/mpi/session.hpp"

#include <array>
#include <cstdlib>
#include <exception>
#include <utility>

#include "reelyard/base/error.hpp"
#include "reelyard/base/log.hpp"
#include "reelyard/mpi/check.hpp"

namespace reelyard::mpi {
namespace {

/// Starts MPI and gives an own copy of its world. Communicators made later inherit that errors are
/// returned; MPI_COMM_SELF does not inherit it.
Communicator start(int* argc, char*** argv) {
    // Open MPI polls while it waits; threads that read and compute on the same cores come first.
    ::setenv("OMPI_MCA_mpi_yield_when_idle", "1", /*overwrite=*/0);
    int provided = MPI_THREAD_SINGLE;
    check(MPI_Init_thread(argc, argv, MPI_THREAD_MULTIPLE, &provided), "MPI_Init_thread");
    check(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
    check(MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
    require(provided >= MPI_THREAD_MULTIPLE,
            ErrorKind::communication,
            "MPI: the library offers thread level {} (expected {}, MPI_THREAD_MULTIPLE); use an "
            "MPI that is built with thread support",
            provided,
            MPI_THREAD_MULTIPLE);
    MPI_Comm world = MPI_COMM_NULL;
    check(MPI_Comm_dup(MPI_COMM_WORLD, &world), "MPI_Comm_dup");
    return Communicator::adopt(world);
}

}  // namespace

Session::Session(int* argc, char*** argv)
    : uncaught_at_start_(std::uncaught_exceptions())
    , world_(start(argc, argv))
    , start_seconds_(starting_.seconds()) {}

Session::~Session() {
    // Finalising waits for all ranks, and those that did not fail may wait for this one elsewhere.
    if (std::uncaught_exceptions() > uncaught_at_start_) {
        return;
    }
    { const Communicator last = std::move(world_); }
    if (MPI_Finalize() != MPI_SUCCESS) {
        log::local_warning("MPI could not be finalised");
    }
}

void Session::abort(int exit_code) const {
    MPI_Abort(MPI_COMM_WORLD, exit_code);
    std::_Exit(exit_code);
}

std::string library_version() {
    std::array<char, MPI_MAX_LIBRARY_VERSION_STRING> text{};
    int length = 0;
    check(MPI_Get_library_version(text.data(), &length), "MPI_Get_library_version");
    return text.data();  // the length of Open MPI counts the terminating zero
}

}  // namespace reelyard::mpi
