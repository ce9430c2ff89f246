#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "reelyard/spec/dtype.hpp"

namespace reelyard::cli {

/// How the ranks get at the weights.
enum class LoadStrategy {
    once,     ///< every byte is read by one rank, as `reelyard run` does
    everyone  ///< every rank reads everything for itself, as most programs do
};

/// What `reelyard bench load` is asked for.
struct LoadSettings {
    std::filesystem::path store = {};
    std::int64_t synthesize_bytes = 0;  ///< 0: the store is there already
    LoadStrategy strategy = LoadStrategy::once;
    std::string transport = "auto";
    std::string component = {};       ///< empty: all of the store
    std::optional<DType> dtype = {};  ///< nothing: as stored, so that nothing is converted
    int tensor_parallel = 1;          ///< ranks that share the split weights
    int weight_shards = 1;            ///< ranks that share the weights of each block
    bool private_copies = false;      ///< no memory that the ranks of a node share
    int ranks_per_node = 0;           ///< 0: as they really lie
    bool verify = true;
    int repetitions = 3;
    std::int64_t piece_bytes = 0;  ///< 0: the loader's own choice
    bool warm = false;             ///< leaves the page cache as it is
    bool untouched = false;        ///< leaves out touching memory before each phase
    bool json = false;
    bool quiet = false;
    bool help = false;
};

/// \param ranks that take part
/// \throws Error (usage) naming the option, what was found and what was expected
[[nodiscard]] LoadSettings parse_load_settings(const std::vector<std::string>& arguments,
                                               int ranks);

/// The text of `reelyard bench load --help`.
[[nodiscard]] std::string load_settings_help();

}  // namespace reelyard::cli
