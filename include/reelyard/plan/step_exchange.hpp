#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "reelyard/plan/layout_chooser.hpp"

namespace reelyard::plan {

/// Where data passes.
struct Route {
    Exchange exchange;
    topology::LinkKind link;

    friend bool operator<(const Route& a, const Route& b) {
        return std::pair{a.exchange, a.link} < std::pair{b.exchange, b.link};
    }
};

using RouteVolumes = std::map<Route, std::int64_t>;  ///< bytes

/// What passes in one step of the sampler.
struct StepExchange {
    std::vector<RouteVolumes> ranks;  ///< received, by place

    /// The place that receives most.
    [[nodiscard]] int busiest() const;
    /// All ranks together.
    [[nodiscard]] RouteVolumes total() const;
};

[[nodiscard]] StepExchange exchange_of_step(const Site& site, const ParallelLayout& layout);

}  // namespace reelyard::plan
