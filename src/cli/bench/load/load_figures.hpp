#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "../spread.hpp"
#include "load_settings.hpp"

namespace reelyard::cli {

/// What one load cost one rank.
struct LoadSample {
    double open_seconds = 0.0;      ///< opening the store and its index
    double read_seconds = 0.0;      ///< see store::LoadReport
    double exchange_seconds = 0.0;  ///< the same
    double attach_seconds = 0.0;    ///< the same
    double total_seconds = 0.0;     ///< from the barrier before until this rank has its weights
    double ready_seconds = 0.0;     ///< until it has also read a byte of every page of them
    std::int64_t bytes_used = 0;
    std::int64_t bytes_read = 0;            ///< by the program's counter
    std::int64_t bytes_read_by_system = 0;  ///< as the operating system counted them
    std::int64_t bytes_of_device = 0;       ///< to this node by the store's device; -1: unknown
    std::int64_t bytes_exchanged = 0;
    std::int64_t weight_bytes = 0;        ///< of this rank's weights
    std::int64_t peak_bytes = 0;          ///< resident at most while loading, above what was before
    std::int64_t beyond_bytes = 0;        ///< of these, what was no weights
    std::int64_t proportional_bytes = 0;  ///< while weights are held, above what was before
    double resident_fraction = 0.0;       ///< of the store, in the page cache before; -1: unknown

    /// What is in no part: planning, making memory, waiting for each other at the end.
    [[nodiscard]] double other_seconds() const {
        const double parts = open_seconds + read_seconds + exchange_seconds + attach_seconds;
        return std::max(total_seconds - parts, 0.0);
    }
};

/// What one raw read cost one rank.
struct RawSample {
    double seconds = 0.0;
    std::int64_t bytes = 0;
    std::int64_t bytes_by_system = 0;
    double resident_fraction = 0.0;
};

/// All repetitions of one rank.
struct RankFigures {
    int rank = 0;
    int node = 0;
    double start_seconds = 0.0;  ///< from the start of the process until MPI was up
    std::vector<LoadSample> loads = {};
    std::vector<RawSample> raws = {};
};

[[nodiscard]] std::string to_text(const RankFigures& figures);
/// The inverse of to_text().
[[nodiscard]] RankFigures rank_figures_from_text(const std::string& text);

/// How loading was done: the same on all ranks.
struct LoadSetup {
    LoadSettings settings = {};
    std::vector<std::string> components = {};
    std::string transport = {};
    std::string transport_reason = {};
    bool shared_host_copy = false;
    std::string private_reason = {};
    std::string small_pages_reason = {};
    bool raw_is_direct = false;
    std::int64_t touched_bytes = 0;  ///< by all ranks together, before each load
    int nodes = 1;                   ///< that the ranks really lie on
};

/// What all ranks together come to. Seconds are of the slowest rank of each repetition, bytes are
/// sums over the ranks and medians over the repetitions, memory is what was most.
struct LoadSummary {
    double start_seconds = 0.0;
    Spread load_seconds;
    Spread ready_seconds;
    Spread raw_seconds;
    Spread load_rate;  ///< bytes used per second
    Spread raw_rate;   ///< bytes read per second
    Spread ratio;      ///< of the two rates, repetition by repetition
    std::int64_t bytes_used = 0;
    std::int64_t bytes_read = 0;
    std::int64_t bytes_read_by_system = 0;
    std::optional<std::int64_t> bytes_of_device;  ///< of all nodes together
    std::int64_t bytes_exchanged = 0;
    std::int64_t raw_bytes = 0;
    std::int64_t raw_bytes_by_system = 0;
    std::int64_t weight_bytes = 0;            ///< of all ranks, as if none shared memory
    std::int64_t peak_bytes = 0;              ///< of a rank
    std::int64_t beyond_bytes = 0;            ///< of a rank
    std::int64_t proportional_bytes = 0;      ///< of all ranks together
    std::optional<double> resident_fraction;  ///< of the store before a load or a raw read
};

/// \param ranks at least one, each with the same number of repetitions
[[nodiscard]] LoadSummary summarise(const std::vector<RankFigures>& ranks);

/// The medians of a rank's repetitions, field by field; memory is what was most.
[[nodiscard]] LoadSample typical_load(const RankFigures& rank);

/// All figures as JSON.
[[nodiscard]] std::string load_figures_json(const LoadSetup& setup,
                                            const std::vector<RankFigures>& ranks);

}  // namespace reelyard::cli
