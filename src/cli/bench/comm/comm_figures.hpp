#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "../spread.hpp"
#include "comm_settings.hpp"

namespace reelyard::cli {

/// One thing at one size, over all repetitions.
struct CommFigures {
    std::int64_t size_bytes = 0;
    std::int64_t received_bytes = 0;  ///< by the rank that receives most, each time
    Spread seconds;                   ///< of the slowest rank

    /// Bytes received per second; 0 when nothing is received.
    [[nodiscard]] double bandwidth() const {
        return seconds.median > 0.0 ? static_cast<double>(received_bytes) / seconds.median : 0.0;
    }
};

/// One thing at all sizes.
struct CommSeries {
    std::string name = {};
    std::vector<CommFigures> sizes = {};  ///< ascending
};

/// All that was measured.
struct CommReport {
    CommSettings settings = {};
    int ranks = 1;
    int nodes = 1;
    std::string device = {};   ///< "cpu", "cuda"
    std::string backend = {};  ///< "mpi", "nccl"; "none" for groups of one rank
    std::vector<CommSeries> operations = {};
    CommSeries exchange = {};  ///< between neighbours, plain MPI; empty for groups of one rank
    CommSeries copy = {};      ///< within each rank
};

/// The bandwidth of an operation as a part of what neighbours exchange at this size, or, for a rank
/// alone, of what it copies; 0 when the operation receives nothing.
[[nodiscard]] double share_of_link(const CommReport& report, const CommFigures& figures);

/// For people.
[[nodiscard]] std::string comm_figures_table(const CommReport& report);

/// All of it as JSON.
[[nodiscard]] std::string comm_figures_json(const CommReport& report);

}  // namespace reelyard::cli
