#pragma once

#include <string>

#include "reelyard/base/clock.hpp"
#include "reelyard/mpi/communicator.hpp"

namespace reelyard::mpi {

/// MPI from initialisation to finalisation; exactly one, in main. Asks for MPI_THREAD_MULTIPLE and
/// makes MPI return errors instead of ending the program. Finalises only when no exception is in
/// flight.
class Session {
public:
    Session(int* argc, char*** argv);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    /// All ranks.
    [[nodiscard]] const Communicator& world() const { return world_; }

    /// What starting MPI took.
    [[nodiscard]] double start_seconds() const { return start_seconds_; }

    /// Ends the job on all ranks with `exit_code`; for main, after it has printed why.
    [[noreturn]] void abort(int exit_code) const;

private:
    int uncaught_at_start_;
    Stopwatch starting_;
    Communicator world_;
    double start_seconds_;
};

/// "Open MPI v4.1.4 ..." as found at run time.
[[nodiscard]] std::string library_version();

}  // namespace reelyard::mpi
