#include "reelyard/plan/step_exchange.hpp"

#include <algorithm>
#include <numeric>

namespace reelyard::plan {
namespace {

std::int64_t sum_of(const RouteVolumes& volumes) {
    return std::accumulate(
        volumes.begin(), volumes.end(), std::int64_t{0}, [](std::int64_t sum, const auto& entry) {
            return sum + entry.second;
        });
}

}  // namespace

int StepExchange::busiest() const {
    const auto most = std::max_element(
        ranks.begin(), ranks.end(), [](const RouteVolumes& a, const RouteVolumes& b) {
            return sum_of(a) < sum_of(b);
        });
    return static_cast<int>(most - ranks.begin());
}

RouteVolumes StepExchange::total() const {
    RouteVolumes total;
    for (const RouteVolumes& rank : ranks) {
        for (const auto& [route, bytes] : rank) {
            total[route] += bytes;
        }
    }
    return total;
}

StepExchange exchange_of_step(const Site& site, const ParallelLayout& layout) {
    const TransformerShape shape = shape_of(site.model);
    const ForwardInput input{
        .batch = 1, .tokens = site.workload.tokens, .compute = site.workload.compute};
    StepExchange step;
    for (int place = 0; place < layout.used_ranks(); ++place) {
        RouteVolumes volumes;
        for (const Receipt& receipt : receipts_of_step(
                 shape, input, layout, position_of(place, layout), site.workload.guidance)) {
            const topology::Link link =
                link_between(site.inventory, place, place_of(receipt.from, layout));
            volumes[{.exchange = receipt.exchange, .link = link.kind}] += receipt.bytes;
        }
        step.ranks.push_back(std::move(volumes));
    }
    return step;
}

}  // namespace reelyard::plan
