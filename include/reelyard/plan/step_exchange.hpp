#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "reelyard/plan/layout_chooser.hpp"

namespace reelyard::plan {

/// Where data passes.
struct Route {
    Exchange exchange;
    topology::LinkKind link;

    friend auto operator<=>(const Route&, const Route&) = default;
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
