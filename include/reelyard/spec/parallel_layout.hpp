#pragma once

#include <cstdint>
#include <string>

namespace reelyard {

/// How the ranks of a job are shared out: a product of degrees, the last one innermost. A video is
/// made by a group of cfg x ring x ulysses x tensor ranks; groups are replicas of one another.
struct ParallelLayout {
    int replicas = 1;
    int cfg = 1;      ///< 2: the two branches of the guidance side by side
    int ring = 1;     ///< ranks that keys and values travel around
    int ulysses = 1;  ///< ranks that trade tokens for heads
    int tensor = 1;   ///< ranks that share each layer's weights
    /// Whether the ranks of a group keep a part of each block's weights and gather it when needed.
    bool shard_weights = false;

    /// Ranks that make one video together.
    [[nodiscard]] int group_size() const { return cfg * ring * ulysses * tensor; }
    /// Ranks that hold all tokens of one branch together.
    [[nodiscard]] int sequence_size() const { return ring * ulysses; }
    /// Ranks of a group that hold the same slices of weights, and may share them.
    [[nodiscard]] int same_weights_size() const { return cfg * ring * ulysses; }
    [[nodiscard]] int used_ranks() const { return replicas * group_size(); }
};

/// One rank's place in a layout.
struct GridPosition {
    int replica = 0;
    int cfg = 0;
    int ring = 0;
    int ulysses = 0;
    int tensor = 0;
};

/// "2 replicas of cfg 2 x ulysses 4"; degrees of 1 are left out.
[[nodiscard]] std::string to_string(const ParallelLayout& layout);

/// Refuses what cannot be before anything is read.
/// \param heads attention heads of the model \param tokens of the shortest video
/// \throws Error (usage) that names the degree and what would do
void check_layout(const ParallelLayout& layout, std::int64_t heads, std::int64_t tokens);

/// \param place 0 .. used_ranks() - 1
[[nodiscard]] GridPosition position_of(int place, const ParallelLayout& layout);

/// The other way.
[[nodiscard]] int place_of(const GridPosition& position, const ParallelLayout& layout);

}  // namespace reelyard
