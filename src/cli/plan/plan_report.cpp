#include "plan_report.hpp"

#include <nlohmann/json.hpp>

#include "reelyard/base/bytes.hpp"
#include "reelyard/base/format.hpp"
#include "reelyard/plan/grid_picture.hpp"

namespace reelyard::cli {
namespace {

using nlohmann::json;

bool is_guided(const PlanReport& report) {
    return report.workload.guidance != plan::Guidance::off;
}

std::string head_text(const PlanReport& report) {
    const ModelSpec& model = report.spec;
    const plan::Workload& work = report.workload;
    const plan::MemoryUse& memory = report.choice.memory;
    std::string text;
    const auto add = [&text](const char* name, const std::string& content) {
        text += fmt::format("{:<9} {}\n", name, content);
    };
    add("model",
        fmt::format("{}: {} layers, {} heads of {}, feed-forward width {}, {}",
                    report.model,
                    model.layers,
                    model.attention_heads,
                    model.head_width,
                    model.ffn_width,
                    to_string(work.compute)));
    add("video",
        fmt::format("{}: {} tokens, {}",
                    report.video,
                    work.tokens,
                    is_guided(report) ? "two branches a step" : "one branch a step"));
    const int spare =
        static_cast<int>(report.inventory.ranks.size()) - report.choice.layout.used_ranks();
    add("layout",
        to_string(report.choice.layout) + (spare > 0 ? fmt::format(", {} spare", spare) : ""));
    if (!report.choice.reason.empty()) {
        add("chosen", report.choice.reason);
    }
    add("weights",
        fmt::format("{} a rank; before them {} of the text encoder",
                    format_bytes(report.memory.weights),
                    format_bytes(report.memory.text_encoder)));
    add("memory", plan::memory_text(memory) + ", where it is tightest");
    return text;
}

std::string gigabytes(std::int64_t bytes) {
    return fmt::format("{:.3f}", static_cast<double>(bytes) / 1e9);
}

std::string exchange_text(const PlanReport& report) {
    const plan::RouteVolumes total = report.exchange.total();
    if (total.empty()) {
        return "\nNothing is exchanged in a step: every rank makes videos of its own.\n";
    }
    const auto place = static_cast<std::size_t>(report.exchange.busiest());
    const plan::RouteVolumes& busiest = report.exchange.ranks.at(place);
    std::string text =
        fmt::format("\nReceived in a step, in GB (10^9 bytes)\n  {:<9}{:<9}{:>12}{:>12}\n",
                    "for",
                    "over",
                    fmt::format("rank {}", report.placement.at(place)),
                    "all ranks");
    for (const auto& [route, bytes] : total) {
        const auto own = busiest.find(route);
        text += fmt::format("  {:<9}{:<9}{:>12}{:>12}\n",
                            plan::to_string(route.exchange),
                            to_string(route.link),
                            gigabytes(own == busiest.end() ? 0 : own->second),
                            gigabytes(bytes));
    }
    return text;
}

json to_json(const plan::RouteVolumes& volumes) {
    json list = json::array();
    for (const auto& [route, bytes] : volumes) {
        list.push_back({{"for", plan::to_string(route.exchange)},
                        {"over", to_string(route.link)},
                        {"bytes", bytes}});
    }
    return list;
}

json to_json(const ParallelLayout& layout) {
    return {{"replicas", layout.replicas},
            {"cfg", layout.cfg},
            {"ring", layout.ring},
            {"ulysses", layout.ulysses},
            {"tensor", layout.tensor},
            {"shard_weights", layout.shard_weights}};
}

}  // namespace

std::string to_text(const PlanReport& report) {
    return head_text(report) + '\n' +
           plan::grid_picture(report.choice.layout, report.inventory, report.placement) +
           exchange_text(report);
}

std::string to_json(const PlanReport& report) {
    const plan::MemoryUse& memory = report.choice.memory;
    const auto place = static_cast<std::size_t>(report.exchange.busiest());
    const json value{{"model", report.model},
                     {"dtype", to_string(report.workload.compute)},
                     {"video", report.video},
                     {"tokens", report.workload.tokens},
                     {"guidance", is_guided(report)},
                     {"nodes", report.inventory.nodes.size()},
                     {"ranks", report.inventory.ranks.size()},
                     {"layout", to_json(report.choice.layout)},
                     {"reason", report.choice.reason},
                     {"placement", report.placement},
                     {"memory",
                      {{"weight_bytes", report.memory.weights},
                       {"activation_bytes", report.memory.activations},
                       {"text_encoder_bytes", report.memory.text_encoder},
                       {"tightest",
                        {{"node", memory.node},
                         {"gpu", memory.gpu},
                         {"ranks", memory.ranks},
                         {"needed_bytes", memory.needed},
                         {"available_bytes", memory.available},
                         {"fits", memory.fits()}}}}},
                     {"received_in_a_step",
                      {{"busiest_rank", report.placement.at(place)},
                       {"by_busiest_rank", to_json(report.exchange.ranks.at(place))},
                       {"by_all_ranks", to_json(report.exchange.total())}}}};
    return value.dump(2) + '\n';
}

}  // namespace reelyard::cli
