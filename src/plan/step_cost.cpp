#include "reelyard/plan/step_cost.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <tuple>

#include "reelyard/base/error.hpp"
#include "reelyard/plan/step_exchange.hpp"

#include "parts.hpp"

namespace reelyard::plan {
namespace {

using topology::LinkKind;

// What a message takes before its first byte. Between GPUs: a hop of NCCL's protocol "Simple" (Hu
// et al. 2025, arXiv:2507.04786, table I). The others are orders of magnitude: a flag in memory
// that both sides reach, a message of MPI through network adapters.
constexpr double memory_latency_s = 1e-6;
constexpr double network_latency_s = 5e-6;
constexpr double gpu_latency_s = 6e-6;

// All-reduces of a block under tensor parallelism, each a reduce-scatter and an all-gather.
constexpr double messages_of_sums = 6 * 2;
// All-to-alls of a block: queries, keys and values, and what was attended to.
constexpr double messages_of_trades = 2;

double latency_of(LinkKind kind) {
    switch (kind) {
        case LinkKind::none:
        case LinkKind::memory:
        case LinkKind::socket:
            return memory_latency_s;
        case LinkKind::network:
            return network_latency_s;
        case LinkKind::pcie:
        case LinkKind::nvlink:
            return gpu_latency_s;
    }
    fail(ErrorKind::internal, "a kind of link without a latency: {}", static_cast<int>(kind));
}

/// How often a rank goes through the blocks in a step.
int passes_of(Guidance guidance, const ParallelLayout& layout) {
    return guidance == Guidance::on && layout.cfg == 1 ? 2 : 1;
}

/// Branches of the guidance that a rank computes.
int branches_of(Guidance guidance, const ParallelLayout& layout) {
    return guidance != Guidance::off && layout.cfg == 1 ? 2 : 1;
}

/// Of a rank for one branch: the linear layers on its tokens, and self attention of its heads. What
/// depends on the length of the text is left out: it is a small part of either.
double multiply_adds_of_branch(const ModelSpec& model,
                               std::int64_t tokens,
                               const ParallelLayout& layout,
                               const GridPosition& at) {
    const auto width = static_cast<double>(model.attention_heads * model.head_width);
    const auto head = static_cast<double>(model.head_width);
    const std::int64_t heads = part_of(model.attention_heads, layout.tensor, at.tensor);
    const double inner = static_cast<double>(heads) * head;
    const auto hidden = static_cast<double>(part_of(model.ffn_width, layout.tensor, at.tensor));
    const auto own = static_cast<double>(
        part_of(tokens, layout.sequence_size(), at.ring * layout.ulysses + at.ulysses));
    const auto queries = static_cast<double>(part_of(tokens, layout.ring, at.ring));
    const double traded = static_cast<double>(part_of(heads, layout.ulysses, at.ulysses)) * head;
    // q, k, v and out of the self attention, q and out of the cross attention; two of the
    // feed-forward part; products with the keys, and with the values.
    const double linear = own * width * (6 * inner + 2 * hidden);
    const double attention = 2 * queries * static_cast<double>(tokens) * traded;
    return static_cast<double>(model.layers) * (linear + attention);
}

double most_multiply_adds(const ModelSpec& model,
                          const StepKind& step,
                          const ParallelLayout& layout) {
    double most = 0.0;
    for (int place = 0; place < layout.group_size(); ++place) {
        most = std::max(
            most, multiply_adds_of_branch(model, step.tokens, layout, position_of(place, layout)));
    }
    return most * branches_of(step.guidance, layout);
}

/// That a rank gets in a step from each of those it gets anything from.
double messages_of(Exchange exchange,
                   const ModelSpec& model,
                   const ParallelLayout& layout,
                   Guidance guidance) {
    const auto blocks =
        static_cast<double>(passes_of(guidance, layout)) * static_cast<double>(model.layers);
    switch (exchange) {
        case Exchange::tensor:
            return messages_of_sums * blocks;
        case Exchange::ulysses:
            return messages_of_trades * blocks;
        case Exchange::ring:
            return (layout.ring - 1) * blocks;
        case Exchange::weights:
            return blocks;
        case Exchange::gather:
            return passes_of(guidance, layout);
        case Exchange::cfg:
            return 1;
    }
    fail(ErrorKind::internal, "an exchange without messages: {}", static_cast<int>(exchange));
}

/// What one rank receives over links of a kind for one purpose.
struct Flow {
    double bytes = 0.0;
    double messages = 0.0;
    double gb_per_s = std::numeric_limits<double>::infinity();  ///< of the slowest link
};

using Flows = std::map<Route, Flow>;

std::vector<Flows> flows_of(const Site& site, const StepKind& step, const ParallelLayout& layout) {
    const TransformerShape shape = shape_of(site.model);
    const ForwardInput input{.batch = 1, .tokens = step.tokens, .compute = site.workload.compute};
    std::vector<Flows> ranks(static_cast<std::size_t>(layout.used_ranks()));
    for (int place = 0; place < layout.used_ranks(); ++place) {
        for (const Receipt& receipt :
             receipts_of_step(shape, input, layout, position_of(place, layout), step.guidance)) {
            const topology::Link link =
                link_between(site.inventory, place, place_of(receipt.from, layout));
            Flow& flow = ranks[static_cast<std::size_t>(place)]
                              [{.exchange = receipt.exchange, .link = link.kind}];
            flow.bytes += static_cast<double>(receipt.bytes);
            flow.messages += messages_of(receipt.exchange, site.model, layout, step.guidance);
            flow.gb_per_s = std::min(flow.gb_per_s, link.gb_per_s);
        }
    }
    return ranks;
}

/// Something that ranks draw on together: the network into a node, the memory of a domain, the link
/// between the domains of a node. GPUs have links of their own.
using Bottleneck = std::tuple<Exchange, LinkKind, int, int>;

Bottleneck bottleneck_of(const Route& route, const topology::Place& place) {
    return {
        route.exchange, route.link, place.node, route.link == LinkKind::memory ? place.numa : 0};
}

/// Seconds of the ranks' exchanges, of which each one waits for all.
class Exchanges {
public:
    Exchanges(const topology::Inventory& inventory, const std::vector<Flows>& ranks)
        : inventory_(inventory)
        , ranks_(ranks) {
        for (std::size_t place = 0; place < ranks.size(); ++place) {
            for (const auto& [route, flow] : ranks[place]) {
                ++sharers_[bottleneck_of(route, inventory.ranks.at(place))];
            }
        }
    }

    /// For one purpose: of the rank that it takes longest, over each kind of link.
    [[nodiscard]] std::map<LinkKind, double> longest(Exchange exchange) const {
        std::map<LinkKind, double> longest;
        double most = 0.0;
        for (std::size_t place = 0; place < ranks_.size(); ++place) {
            std::map<LinkKind, double> seconds;
            double sum = 0.0;
            for (const auto& [route, flow] : ranks_[place]) {
                if (route.exchange == exchange) {
                    sum += seconds[route.link] = seconds_of(route, flow, place);
                }
            }
            if (sum > most) {
                most = sum;
                longest = std::move(seconds);
            }
        }
        return longest;
    }

private:
    [[nodiscard]] double seconds_of(const Route& route, const Flow& flow, std::size_t place) const {
        constexpr double giga = 1e9;
        const int sharers = sharers_.at(bottleneck_of(route, inventory_.ranks.at(place)));
        double speed = flow.gb_per_s;
        if (route.link == LinkKind::memory || route.link == LinkKind::socket) {
            speed /= sharers;
        } else if (route.link == LinkKind::network) {
            const double into_node =
                inventory_.network_gb_per_s > 0.0 ? inventory_.network_gb_per_s : speed;
            speed = std::min(speed, into_node / sharers);
        }
        return flow.bytes / (speed * giga) + flow.messages * latency_of(route.link);
    }

    const topology::Inventory& inventory_;
    const std::vector<Flows>& ranks_;
    std::map<Bottleneck, int> sharers_;
};

}  // namespace

double StepCost::all_exchange_seconds() const {
    return std::accumulate(
        exchange_seconds.begin(), exchange_seconds.end(), 0.0, [](double sum, const auto& entry) {
            return sum + entry.second;
        });
}

StepCost cost_of_step(const Site& site,
                      const std::vector<StepKind>& steps,
                      const ParallelLayout& layout) {
    REELYARD_EXPECT(!steps.empty());
    const double count =
        std::accumulate(steps.begin(), steps.end(), 0.0, [](double sum, const StepKind& s) {
            return sum + s.count;
        });
    StepCost cost;
    std::vector<double> received(static_cast<std::size_t>(layout.used_ranks()));
    for (const StepKind& step : steps) {
        const double share = step.count / count;
        cost.multiply_adds += share * most_multiply_adds(site.model, step, layout);
        const std::vector<Flows> ranks = flows_of(site, step, layout);
        for (std::size_t place = 0; place < ranks.size(); ++place) {
            for (const auto& [route, flow] : ranks[place]) {
                received[place] += share * flow.bytes;
            }
        }
        const Exchanges waits(site.inventory, ranks);
        for (const Exchange exchange : exchanges) {
            for (const auto& [link, seconds] : waits.longest(exchange)) {
                cost.exchange_seconds[link] += share * seconds;
            }
        }
    }
    cost.received_bytes = *std::max_element(received.begin(), received.end());
    return cost;
}

}  // namespace reelyard::plan
