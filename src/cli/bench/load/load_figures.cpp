#include "load_figures.hpp"

#include <algorithm>
#include <functional>

#include <nlohmann/json.hpp>

#include "reelyard/base/error.hpp"

namespace reelyard::cli {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(LoadSample,
                                   open_seconds,
                                   read_seconds,
                                   exchange_seconds,
                                   attach_seconds,
                                   total_seconds,
                                   ready_seconds,
                                   bytes_used,
                                   bytes_read,
                                   bytes_read_by_system,
                                   bytes_of_device,
                                   bytes_exchanged,
                                   weight_bytes,
                                   peak_bytes,
                                   beyond_bytes,
                                   proportional_bytes,
                                   resident_fraction)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(RawSample, seconds, bytes, bytes_by_system, resident_fraction)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(RankFigures, rank, node, start_seconds, loads, raws)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Spread, median, minimum, maximum)

namespace {

using nlohmann::json;

constexpr double giga = 1e9;

/// What `value` gives for each repetition, by rank.
using ByRank = std::vector<double>;
std::vector<ByRank> by_repetition(
    const std::vector<RankFigures>& ranks,
    std::size_t repetitions,
    const std::function<double(const RankFigures&, std::size_t)>& value) {
    std::vector<ByRank> rows(repetitions);
    for (std::size_t repetition = 0; repetition < repetitions; ++repetition) {
        for (const RankFigures& rank : ranks) {
            rows[repetition].push_back(value(rank, repetition));
        }
    }
    return rows;
}

std::vector<double> most_of(const std::vector<ByRank>& rows) {
    std::vector<double> values;
    values.reserve(rows.size());
    for (const ByRank& row : rows) {
        values.push_back(*std::max_element(row.begin(), row.end()));
    }
    return values;
}

std::vector<double> sum_of(const std::vector<ByRank>& rows) {
    std::vector<double> values;
    for (const ByRank& row : rows) {
        double sum = 0.0;
        for (const double value : row) {
            sum += value;
        }
        values.push_back(sum);
    }
    return values;
}

/// A field of every load, or of every raw read, of all ranks.
class Table {
public:
    explicit Table(const std::vector<RankFigures>& ranks) : ranks_(ranks) {}

    template <typename Value>
    [[nodiscard]] std::vector<ByRank> of(Value LoadSample::*field) const {
        return by_repetition(
            ranks_, ranks_.front().loads.size(), [field](const auto& rank, auto i) {
                return static_cast<double>(rank.loads[i].*field);
            });
    }
    template <typename Value>
    [[nodiscard]] std::vector<ByRank> of(Value RawSample::*field) const {
        return by_repetition(ranks_, ranks_.front().raws.size(), [field](const auto& rank, auto i) {
            return static_cast<double>(rank.raws[i].*field);
        });
    }
    /// Sum over the ranks, median over the repetitions.
    template <typename Sample>
    [[nodiscard]] std::int64_t total(std::int64_t Sample::*field) const {
        return static_cast<std::int64_t>(median_of(sum_of(of(field))));
    }
    /// The smallest of any rank in any repetition.
    [[nodiscard]] std::int64_t least(std::int64_t LoadSample::*field) const {
        std::int64_t value = ranks_.front().loads.front().*field;
        for (const RankFigures& rank : ranks_) {
            for (const LoadSample& load : rank.loads) {
                value = std::min(value, load.*field);
            }
        }
        return value;
    }
    /// The largest of any rank in any repetition.
    [[nodiscard]] std::int64_t most(std::int64_t LoadSample::*field) const {
        return static_cast<std::int64_t>(spread_of(most_of(of(field))).maximum);
    }

private:
    const std::vector<RankFigures>& ranks_;
};

std::vector<double> rates(double bytes, const std::vector<double>& seconds) {
    std::vector<double> values;
    values.reserve(seconds.size());
    for (const double s : seconds) {
        values.push_back(s > 0.0 ? bytes / s : 0.0);
    }
    return values;
}

std::optional<double> resident_fraction(const std::vector<RankFigures>& ranks) {
    std::vector<double> fractions;
    for (const RankFigures& rank : ranks) {
        for (const LoadSample& load : rank.loads) {
            fractions.push_back(load.resident_fraction);
        }
        for (const RawSample& raw : rank.raws) {
            fractions.push_back(raw.resident_fraction);
        }
    }
    const Spread spread = spread_of(fractions);
    return spread.minimum < 0.0 ? std::nullopt : std::optional(spread.maximum);
}

json scaled(const Spread& spread, double scale) {
    return Spread{spread.median / scale, spread.minimum / scale, spread.maximum / scale};
}

json settings_json(const LoadSetup& setup) {
    const LoadSettings& settings = setup.settings;
    return {{"store", settings.store.string()},
            {"strategy", settings.strategy == LoadStrategy::once ? "once" : "everyone"},
            {"transport_asked", settings.transport},
            {"transport", setup.transport},
            {"transport_reason", setup.transport_reason},
            {"components", setup.components},
            {"dtype", settings.dtype ? to_string(*settings.dtype) : "stored"},
            {"tensor_parallel", settings.tensor_parallel},
            {"weight_shards", settings.weight_shards},
            {"private", settings.private_copies},
            {"shared_host_copy", setup.shared_host_copy},
            {"private_reason", setup.private_reason},
            {"small_pages_reason", setup.small_pages_reason},
            {"ranks_per_node", settings.ranks_per_node},
            {"verify", settings.strategy == LoadStrategy::once && settings.verify},
            {"repetitions", settings.repetitions},
            {"piece_bytes", settings.piece_bytes},
            {"cold_cache", !settings.warm},
            {"raw_read_is_direct", setup.raw_is_direct},
            {"touched_bytes", setup.touched_bytes}};
}

json bytes_json(const LoadSummary& summary) {
    const auto used = static_cast<double>(summary.bytes_used);
    return {{"used", summary.bytes_used},
            {"read", summary.bytes_read},
            {"read_by_system", summary.bytes_read_by_system},
            {"of_device", summary.bytes_of_device ? json(*summary.bytes_of_device) : json(nullptr)},
            {"exchanged", summary.bytes_exchanged},
            {"read_per_used", static_cast<double>(summary.bytes_read) / used},
            {"read_by_system_per_used", static_cast<double>(summary.bytes_read_by_system) / used},
            {"raw", summary.raw_bytes},
            {"raw_by_system", summary.raw_bytes_by_system}};
}

json memory_json(const LoadSummary& summary) {
    return {{"weight_bytes", summary.weight_bytes},
            {"peak_bytes_of_a_rank", summary.peak_bytes},
            {"beyond_weights_bytes_of_a_rank", summary.beyond_bytes},
            {"proportional_bytes", summary.proportional_bytes},
            {"proportional_per_used",
             static_cast<double>(summary.proportional_bytes) /
                 static_cast<double>(summary.bytes_used)}};
}

}  // namespace

std::string to_text(const RankFigures& figures) {
    return json(figures).dump();
}

RankFigures rank_figures_from_text(const std::string& text) {
    return json::parse(text).get<RankFigures>();
}

LoadSummary summarise(const std::vector<RankFigures>& ranks) {
    REELYARD_EXPECT(!ranks.empty());
    const Table table(ranks);
    LoadSummary summary;
    for (const RankFigures& rank : ranks) {
        summary.start_seconds = std::max(summary.start_seconds, rank.start_seconds);
    }
    summary.bytes_used = ranks.front().loads.front().bytes_used;
    summary.bytes_read = table.total(&LoadSample::bytes_read);
    summary.bytes_read_by_system = table.total(&LoadSample::bytes_read_by_system);
    if (table.least(&LoadSample::bytes_of_device) >= 0) {
        summary.bytes_of_device = table.total(&LoadSample::bytes_of_device);
    }
    summary.bytes_exchanged = table.total(&LoadSample::bytes_exchanged);
    summary.raw_bytes = table.total(&RawSample::bytes);
    summary.raw_bytes_by_system = table.total(&RawSample::bytes_by_system);

    const auto loads = most_of(table.of(&LoadSample::total_seconds));
    const auto raws = most_of(table.of(&RawSample::seconds));
    const auto load_rates = rates(static_cast<double>(summary.bytes_used), loads);
    const auto raw_rates = rates(static_cast<double>(summary.raw_bytes), raws);
    std::vector<double> ratios;
    for (std::size_t i = 0; i < loads.size(); ++i) {
        ratios.push_back(raw_rates[i] > 0.0 ? load_rates[i] / raw_rates[i] : 0.0);
    }
    summary.load_seconds = spread_of(loads);
    summary.ready_seconds = spread_of(most_of(table.of(&LoadSample::ready_seconds)));
    summary.raw_seconds = spread_of(raws);
    summary.load_rate = spread_of(load_rates);
    summary.raw_rate = spread_of(raw_rates);
    summary.ratio = spread_of(ratios);

    summary.weight_bytes = table.total(&LoadSample::weight_bytes);
    summary.peak_bytes = table.most(&LoadSample::peak_bytes);
    summary.beyond_bytes = table.most(&LoadSample::beyond_bytes);
    summary.proportional_bytes = static_cast<std::int64_t>(
        spread_of(sum_of(table.of(&LoadSample::proportional_bytes))).maximum);
    summary.resident_fraction = resident_fraction(ranks);
    return summary;
}

LoadSample typical_load(const RankFigures& rank) {
    const std::vector<RankFigures> alone{rank};
    const Table table(alone);
    const auto seconds = [&](double LoadSample::*field) {
        return median_of(sum_of(table.of(field)));
    };
    return {.open_seconds = seconds(&LoadSample::open_seconds),
            .read_seconds = seconds(&LoadSample::read_seconds),
            .exchange_seconds = seconds(&LoadSample::exchange_seconds),
            .attach_seconds = seconds(&LoadSample::attach_seconds),
            .total_seconds = seconds(&LoadSample::total_seconds),
            .ready_seconds = seconds(&LoadSample::ready_seconds),
            .bytes_used = table.total(&LoadSample::bytes_used),
            .bytes_read = table.total(&LoadSample::bytes_read),
            .bytes_read_by_system = table.total(&LoadSample::bytes_read_by_system),
            .bytes_of_device = table.total(&LoadSample::bytes_of_device),
            .bytes_exchanged = table.total(&LoadSample::bytes_exchanged),
            .weight_bytes = table.total(&LoadSample::weight_bytes),
            .peak_bytes = table.most(&LoadSample::peak_bytes),
            .beyond_bytes = table.most(&LoadSample::beyond_bytes),
            .proportional_bytes = table.most(&LoadSample::proportional_bytes),
            .resident_fraction = seconds(&LoadSample::resident_fraction)};
}

std::string load_figures_json(const LoadSetup& setup, const std::vector<RankFigures>& ranks) {
    const LoadSummary summary = summarise(ranks);
    const json fraction =
        summary.resident_fraction ? json(*summary.resident_fraction) : json(nullptr);
    json value = {
        {"benchmark", "load"},
        {"ranks", ranks.size()},
        {"nodes", setup.nodes},
        {"settings", settings_json(setup)},
        {"bytes", bytes_json(summary)},
        {"start_seconds", summary.start_seconds},
        {"load",
         {{"seconds", summary.load_seconds},
          {"ready_seconds", summary.ready_seconds},
          {"gb_per_second", scaled(summary.load_rate, giga)}}},
        {"raw",
         {{"seconds", summary.raw_seconds}, {"gb_per_second", scaled(summary.raw_rate, giga)}}},
        {"ratio", summary.ratio},
        {"memory", memory_json(summary)},
        {"page_cache_fraction_before", fraction},
        {"by_rank", ranks}};
    return value.dump(2) + "\n";
}

}  // namespace reelyard::cli
