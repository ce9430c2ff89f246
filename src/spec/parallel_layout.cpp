#include "reelyard/spec/parallel_layout.hpp"

#include <utility>
#include <vector>

#include "reelyard/base/error.hpp"
#include "reelyard/base/format.hpp"

namespace reelyard {

std::string to_string(const ParallelLayout& layout) {
    std::vector<std::string> degrees;
    for (const auto& [name, degree] : {std::pair{"cfg", layout.cfg},
                                       std::pair{"ring", layout.ring},
                                       std::pair{"ulysses", layout.ulysses},
                                       std::pair{"tensor", layout.tensor}}) {
        if (degree > 1) {
            degrees.push_back(fmt::format("{} {}", name, degree));
        }
    }
    std::string text =
        layout.replicas == 1 ? "1 replica of " : fmt::format("{} replicas of ", layout.replicas);
    text += degrees.empty() ? "1 rank" : fmt::format("{}", fmt::join(degrees, " x "));
    return text + (layout.shard_weights ? ", weights sharded" : "");
}

void check_layout(const ParallelLayout& layout, std::int64_t heads, std::int64_t tokens) {
    require(layout.tensor <= heads,
            ErrorKind::usage,
            "parallel.tensor is {}, but the model has {} attention heads, and each rank needs one "
            "(expected at most {})",
            layout.tensor,
            heads,
            heads);
    const std::int64_t heads_to_trade = heads / layout.tensor;
    require(layout.ulysses <= heads_to_trade,
            ErrorKind::usage,
            "parallel.ulysses is {}, but there are {} attention heads to share out over tensor {} "
            "(expected at most {}; parallel.ring takes any number)",
            layout.ulysses,
            heads,
            layout.tensor,
            heads_to_trade);
    require(
        layout.sequence_size() <= tokens,
        ErrorKind::usage,
        "parallel.ring x parallel.ulysses is {}, but the shortest video has {} tokens (expected "
        "at most one rank a token)",
        layout.sequence_size(),
        tokens);
}

GridPosition position_of(int place, const ParallelLayout& layout) {
    REELYARD_EXPECT(place >= 0 && place < layout.used_ranks());
    const auto take = [&place](int degree) {
        const int digit = place % degree;
        place /= degree;
        return digit;
    };
    GridPosition position;
    position.tensor = take(layout.tensor);
    position.ulysses = take(layout.ulysses);
    position.ring = take(layout.ring);
    position.cfg = take(layout.cfg);
    position.replica = place;
    return position;
}

int place_of(const GridPosition& position, const ParallelLayout& layout) {
    int place = position.replica;
    place = place * layout.cfg + position.cfg;
    place = place * layout.ring + position.ring;
    place = place * layout.ulysses + position.ulysses;
    return place * layout.tensor + position.tensor;
}

}  // namespace reelyard
