#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "reelyard/mpi/communicator.hpp"
#include "reelyard/trace/recorder.hpp"

namespace reelyard::cli {

/// What all ranks of a run compute and exchange, for one file of trace events.
class RunTrace {
public:
    /// Collective. \param path of the file; empty: nothing is recorded \throws Error (usage,
    /// storage) on all ranks when the file cannot be written
    RunTrace(const mpi::Communicator& world, std::filesystem::path path);

    /// This rank's; none when nothing is recorded.
    [[nodiscard]] trace::Recorder* recorder() { return recorder_ ? &*recorder_ : nullptr; }

    /// Writes the file on rank 0, and says how much of the exchange was waited for. Collective,
    /// once, when all is through.
    void finish();

private:
    void require_writable() const;
    void gather(const std::string& own_events, std::int64_t dropped) const;

    const mpi::Communicator& world_;
    std::filesystem::path path_;
    std::optional<trace::Recorder> recorder_;
    std::int64_t clock_offset_ = 0;  ///< of this rank's node to that of rank 0, nanoseconds
};

}  // namespace reelyard::cli
