#include "swap_search.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace reelyard::topology {
namespace {

// The time grows with the square of the ranks and of the largest group; these take a fraction of a
// second. Beyond them most groups straddle nodes whatever is done.
constexpr std::size_t most_ranks = 128;
constexpr int most_in_group = 32;
constexpr int most_rounds = 20;
// Costs are sums of a few hundred reciprocals of speeds.
constexpr double rounding = 1e-9;

/// By degree, tensor first.
using Costs = std::array<double, 4>;

bool is_less(const Costs& a, const Costs& b) {
    for (std::size_t degree = 0; degree < a.size(); ++degree) {
        if (a[degree] < b[degree] - rounding || a[degree] > b[degree] + rounding) {
            return a[degree] < b[degree];
        }
    }
    return false;
}

/// Ranks at places, and what their groups cost.
class Grid {
public:
    Grid(const Inventory& inventory, const ParallelLayout& layout, std::vector<int> ranks)
        : degrees_{layout.tensor, layout.ulysses, layout.ring, layout.cfg}
        , used_(static_cast<std::size_t>(layout.used_ranks()))
        , ranks_(std::move(ranks))
        , costs_(ranks_.size() * ranks_.size(), 0) {
        for (std::size_t rank = 0; rank < ranks_.size(); ++rank) {
            for (std::size_t other = 0; other < rank; ++other) {
                const double speed =
                    link_between(inventory, static_cast<int>(rank), static_cast<int>(other))
                        .gb_per_s;
                costs_[rank * ranks_.size() + other] = 1 / speed;
                costs_[other * ranks_.size() + rank] = 1 / speed;
            }
        }
    }

    [[nodiscard]] const std::vector<int>& ranks() const { return ranks_; }

    /// Of all groups.
    [[nodiscard]] Costs costs() const {
        Costs costs{};
        std::size_t stride = 1;
        for (std::size_t index = 0; index < degrees_.size(); ++index) {
            const auto degree = static_cast<std::size_t>(degrees_[index]);
            for (std::size_t place = 0; place < used_; ++place) {
                const bool is_first = place / stride % degree == 0;
                costs[index] += is_first ? cost_of_group(place, degree, stride) : 0;
            }
            stride *= degree;
        }
        return costs;
    }

    /// Puts rank 0 where that costs least when it is left over.
    void include_leader() {
        const auto leader = std::find(ranks_.begin(), ranks_.end(), 0);
        const auto from = static_cast<std::size_t>(leader - ranks_.begin());
        if (from < used_) {
            return;
        }
        std::size_t best = 0;
        Costs least{};
        for (std::size_t place = 0; place < used_; ++place) {
            std::swap(ranks_[place], ranks_[from]);
            if (place == 0 || is_less(costs(), least)) {
                best = place;
                least = costs();
            }
            std::swap(ranks_[place], ranks_[from]);
        }
        std::swap(ranks_[best], ranks_[from]);
    }

    /// Whether any exchange of two ranks, or of two blocks of places that are next to one another
    /// in the inner degrees, was better.
    bool swap_all_that_are_better() {
        bool any = false;
        std::size_t size = 1;
        for (const int degree : degrees_) {
            for (std::size_t place = 0; place < used_; place += size) {
                for (std::size_t other = place + size; other + size <= ranks_.size();
                     other += size) {
                    any = swap_if_better(place, other, size) || any;
                }
            }
            size *= static_cast<std::size_t>(degree);
        }
        return any;
    }

private:
    /// Exchanges `size` ranks at two places if that is better. \param place not left over
    bool swap_if_better(std::size_t place, std::size_t other, std::size_t size) {
        const auto mine = ranks_.begin() + static_cast<std::ptrdiff_t>(place);
        const auto theirs = ranks_.begin() + static_cast<std::ptrdiff_t>(other);
        const auto end = mine + static_cast<std::ptrdiff_t>(size);
        if (other >= used_ && std::find(mine, end, 0) != end) {
            return false;
        }
        const Costs before = costs_at(place, other, size);
        std::swap_ranges(mine, end, theirs);
        if (is_less(costs_at(place, other, size), before)) {
            return true;
        }
        std::swap_ranges(mine, end, theirs);
        return false;
    }

    /// Of all groups that the places of two blocks belong to.
    [[nodiscard]] Costs costs_at(std::size_t place, std::size_t other, std::size_t size) const {
        Costs costs{};
        std::size_t stride = 1;
        for (std::size_t index = 0; index < degrees_.size(); ++index) {
            const auto degree = static_cast<std::size_t>(degrees_[index]);
            for (std::size_t offset = 0; offset < size; ++offset) {
                costs[index] += cost_of_group(place + offset, degree, stride);
                costs[index] += cost_of_group(other + offset, degree, stride);
            }
            stride *= degree;
        }
        return costs;
    }

    [[nodiscard]] double cost_of_group(std::size_t member,
                                       std::size_t degree,
                                       std::size_t stride) const {
        if (member >= used_) {
            return 0;
        }
        const std::size_t first = member - member / stride % degree * stride;
        double cost = 0;
        for (std::size_t a = 1; a < degree; ++a) {
            for (std::size_t b = 0; b < a; ++b) {
                const auto rank = static_cast<std::size_t>(ranks_[first + a * stride]);
                const auto other = static_cast<std::size_t>(ranks_[first + b * stride]);
                cost = std::max(cost, costs_[rank * ranks_.size() + other]);
            }
        }
        return cost;
    }

    std::array<int, 4> degrees_;
    std::size_t used_;
    std::vector<int> ranks_;     ///< by place
    std::vector<double> costs_;  ///< of each pair of ranks
};

/// Puts rank 0 at the last place when it is left over.
std::vector<int> with_leader_at_last_place(std::vector<int> ranks, const ParallelLayout& layout) {
    const auto leader = std::find(ranks.begin(), ranks.end(), 0);
    const auto last = ranks.begin() + (layout.used_ranks() - 1);
    if (leader > last) {
        std::iter_swap(leader, last);
    }
    return ranks;
}

}  // namespace

std::vector<int> best_after_swaps(const Inventory& inventory,
                                  const ParallelLayout& layout,
                                  const std::vector<std::vector<int>>& starts) {
    const int largest = std::max({layout.tensor, layout.ulysses, layout.ring, layout.cfg});
    if (inventory.ranks.size() > most_ranks || largest > most_in_group) {
        return with_leader_at_last_place(starts.front(), layout);
    }
    std::vector<int> best;
    Costs least{};
    for (const std::vector<int>& start : starts) {
        Grid grid(inventory, layout, start);
        grid.include_leader();
        for (int round = 0; round < most_rounds && grid.swap_all_that_are_better(); ++round) {
        }
        if (best.empty() || is_less(grid.costs(), least)) {
            best = grid.ranks();
            least = grid.costs();
        }
    }
    return best;
}

}  // namespace reelyard::topology
