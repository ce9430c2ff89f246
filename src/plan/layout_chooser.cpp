#include "reelyard/plan/layout_chooser.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "reelyard/base/error.hpp"
#include "reelyard/base/format.hpp"

namespace reelyard::plan {
namespace {

int rank_count(const topology::Inventory& inventory) {
    return static_cast<int>(inventory.ranks.size());
}

/// Of the node that has fewest.
int ranks_per_node(const topology::Inventory& inventory) {
    std::map<int, int> counts;
    for (const topology::Place& place : inventory.ranks) {
        ++counts[place.node];
    }
    return std::min_element(counts.begin(),
                            counts.end(),
                            [](const auto& a, const auto& b) { return a.second < b.second; })
        ->second;
}

/// The degrees from 1 to `most`, or the one that is asked for.
std::vector<int> degrees(int wish, std::int64_t most) {
    std::vector<int> found;
    for (int degree = 1; degree <= most; ++degree) {
        if (wish == 0 || wish == degree) {
            found.push_back(degree);
        }
    }
    return found;
}

/// What a video's sequence can be shared out to, by rank of its Ulysses and tensor groups.
void add_layouts(const Site& site,
                 const LayoutWish& wish,
                 ParallelLayout layout,
                 std::vector<ParallelLayout>& layouts) {
    const int ranks = rank_count(site.inventory);
    const int inner = layout.tensor * layout.ulysses;
    const int branches = site.workload.guidance != Guidance::off || wish.cfg > 0 ? 2 : 1;
    const std::int64_t most_in_ring =
        std::min<std::int64_t>(ranks / inner, site.workload.fewest_tokens / layout.ulysses);
    for (const int ring : degrees(wish.ring, most_in_ring)) {
        for (const int cfg : degrees(wish.cfg, std::min(branches, ranks / (inner * ring)))) {
            layout.ring = ring;
            layout.cfg = cfg;
            layout.replicas = ranks / layout.group_size();
            layouts.push_back(layout);
        }
    }
}

/// All layouts that can be, memory aside.
std::vector<ParallelLayout> possible_layouts(const Site& site, const LayoutWish& wish) {
    const std::int64_t ranks = rank_count(site.inventory);
    const std::int64_t heads = site.model.attention_heads;
    std::vector<ParallelLayout> layouts;
    for (const int tensor : degrees(wish.tensor, std::min(heads, ranks))) {
        for (const int ulysses : degrees(wish.ulysses, std::min(heads, ranks) / tensor)) {
            add_layouts(site,
                        wish,
                        {.ulysses = ulysses, .tensor = tensor, .shard_weights = wish.shard_weights},
                        layouts);
        }
    }
    return layouts;
}

/// A list so short that ranks would have nothing to do if each made videos of its own.
bool is_short(const Site& site) {
    return site.workload.videos > 0 && site.workload.videos < rank_count(site.inventory);
}

/// The largest group of at most `size` ranks that nodes of `node` ranks hold without one straddling
/// them: a divisor or a multiple of theirs.
int tiling_size(int size, int node) {
    while (node % size != 0 && size % node != 0) {
        --size;
    }
    return size;
}

/// How many times as fast as one rank a group is taken to be: a doubling is worth 1.8 within a node
/// and 1.6 beyond.
double speed_of(int size, int node) {
    constexpr double kept_within = 0.9;
    constexpr double kept_beyond = 0.8;
    const double inside = std::log2(std::min(size, node));
    const double outside = std::max(0.0, std::log2(static_cast<double>(size) / node));
    return size * std::pow(kept_within, inside) * std::pow(kept_beyond, outside);
}

/// How long a short list takes, in the time that one rank takes for one video.
double list_time(const ParallelLayout& layout, std::int64_t videos, int node) {
    const std::int64_t rounds = (videos + layout.replicas - 1) / layout.replicas;
    return static_cast<double>(rounds) / speed_of(tiling_size(layout.group_size(), node), node);
}

/// What is smaller is better.
using Rating = std::tuple<double, int, int, int, int, int>;

class Judge {
public:
    Judge(const Site& site, Goal goal)
        : site_(site)
        , goal_(goal)
        , node_(ranks_per_node(site.inventory)) {}

    [[nodiscard]] Rating rate(const ParallelLayout& layout) const {
        const int size = layout.group_size();
        const bool leaves_node = node_ % (layout.tensor * layout.ulysses) != 0;
        const std::int64_t heads = site_.model.attention_heads;
        const bool is_uneven = heads % (std::int64_t{layout.tensor} * layout.ulysses) != 0;
        return {goal_ == Goal::latency ? -size
                : is_short(site_)      ? list_time(layout, site_.workload.videos, node_)
                                       : size,
                layout.tensor,
                -layout.cfg,
                leaves_node ? 1 : 0,
                is_uneven ? 1 : 0,
                -layout.ulysses};
    }

private:
    const Site& site_;
    Goal goal_;
    int node_;
};

MemoryUse memory_for(const Site& site, const ParallelLayout& layout) {
    return tightest_memory(site.model, site.workload, layout, site.inventory);
}

/// What decided the size of the groups.
std::string reason_of(const Site& site, const LayoutWish& wish, const LayoutChoice& choice) {
    if (!choice.memory.fits()) {
        return "nothing fits in memory, this comes closest";
    }
    if (wish.goal == Goal::latency) {
        return "for latency, as many ranks for a video as can share it";
    }
    const int groups = choice.layout.replicas;
    const std::int64_t videos = site.workload.videos;
    if (!is_short(site)) {
        return "for throughput, as many videos at a time as memory has room for";
    }
    std::string reason = fmt::format("for throughput with {} video{} on {} ranks",
                                     videos,
                                     videos == 1 ? "" : "s",
                                     rank_count(site.inventory));
    if (videos < groups) {
        reason += fmt::format("; {} of {} groups have no video", groups - videos, groups);
    }
    return reason;
}

/// How far two layouts are apart: doublings and halvings of degrees.
double distance(const ParallelLayout& a, const ParallelLayout& b) {
    const auto apart = [](int one, int other) {
        return std::abs(std::log2(static_cast<double>(one) / other));
    };
    return apart(a.cfg, b.cfg) + apart(a.ring, b.ring) + apart(a.ulysses, b.ulysses) +
           apart(a.tensor, b.tensor);
}

/// There is no layout as wished: says why.
[[noreturn]] void refuse(const Site& site, const LayoutWish& wish) {
    const ParallelLayout least{.cfg = std::max(1, wish.cfg),
                               .ring = std::max(1, wish.ring),
                               .ulysses = std::max(1, wish.ulysses),
                               .tensor = std::max(1, wish.tensor),
                               .shard_weights = wish.shard_weights};
    const std::string nearest = nearest_text(site, least);
    try {
        check_layout(least, site.model.attention_heads, site.workload.fewest_tokens);
    } catch (const Error& error) {
        fail(ErrorKind::usage, "{}{}", error.message(), nearest);
    }
    fail(ErrorKind::usage,
         "a video takes {} ranks ({}), but there {} {}{}",
         least.group_size(),
         to_string(least),
         rank_count(site.inventory) == 1 ? "is" : "are",
         rank_count(site.inventory),
         nearest);
}

}  // namespace

LayoutChoice choose_layout(const Site& site, const LayoutWish& wish) {
    REELYARD_EXPECT(!site.inventory.ranks.empty());
    std::vector<ParallelLayout> layouts = possible_layouts(site, wish);
    if (layouts.empty()) {
        refuse(site, wish);
    }
    const Judge judge(site, wish.goal);
    std::stable_sort(
        layouts.begin(), layouts.end(), [&](const ParallelLayout& a, const ParallelLayout& b) {
            return judge.rate(a) < judge.rate(b);
        });
    LayoutChoice best{.layout = layouts.front(), .memory = memory_for(site, layouts.front())};
    for (std::size_t i = 1; i < layouts.size() && !best.memory.fits(); ++i) {
        const MemoryUse memory = memory_for(site, layouts[i]);
        if (memory.fits() || memory.needed < best.memory.needed) {
            best = {.layout = layouts[i], .memory = memory};
        }
    }
    if (!wish.is_complete() && rank_count(site.inventory) > 1) {
        best.reason = reason_of(site, wish, best);
    }
    return best;
}

std::vector<ParallelLayout> nearest_layouts(const Site& site,
                                            const ParallelLayout& wanted,
                                            std::size_t count) {
    std::vector<ParallelLayout> layouts =
        possible_layouts(site, {.shard_weights = wanted.shard_weights});
    std::stable_sort(
        layouts.begin(), layouts.end(), [&](const ParallelLayout& a, const ParallelLayout& b) {
            return distance(a, wanted) < distance(b, wanted);
        });
    std::vector<ParallelLayout> found;
    for (const ParallelLayout& layout : layouts) {
        if (found.size() < count && memory_for(site, layout).fits()) {
            found.push_back(layout);
        }
    }
    return found;
}

std::string nearest_text(const Site& site, const ParallelLayout& wanted) {
    constexpr std::size_t most_named = 3;
    std::vector<std::string> names;
    for (const ParallelLayout& layout : nearest_layouts(site, wanted, most_named)) {
        names.push_back(to_string(layout));
    }
    return names.empty() ? "" : fmt::format("; nearest that work: {}", fmt::join(names, ", or "));
}

}  // namespace reelyard::plan
