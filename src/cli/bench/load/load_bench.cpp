#include "load_bench.hpp"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <utility>

#include "reelyard/base/bytes.hpp"
#include "reelyard/base/clock.hpp"
#include "reelyard/base/error.hpp"
#include "reelyard/base/log.hpp"
#include "reelyard/device/memory_usage.hpp"
#include "reelyard/models/model_family.hpp"
#include "reelyard/mpi/agreement.hpp"
#include "reelyard/mpi/node_layout.hpp"
#include "reelyard/store/store_file.hpp"

#include "load_figures.hpp"
#include "load_settings.hpp"
#include "load_table.hpp"
#include "loaded_model.hpp"
#include "page_cache.hpp"
#include "process_counts.hpp"
#include "raw_reader.hpp"
#include "synthetic_model.hpp"
#include "touched_memory.hpp"

namespace reelyard::cli {
namespace {

// Of the raw read, unless --piece says otherwise.
constexpr std::int64_t raw_piece_bytes = 16 * mebibyte;
// What a load needs besides the weights, generously.
constexpr std::int64_t spare_bytes = 128 * mebibyte;

/// What the page cache holds of a file on this node, as a sample keeps it.
double fraction_before(const std::filesystem::path& file) {
    return resident_fraction(file).value_or(-1.0);
}

/// Counts what the device of the store delivers to this node; one rank of the node does.
class DeviceCounter {
public:
    DeviceCounter(std::filesystem::path store, bool counts)
        : store_(std::move(store))
        , counts_(counts)
        , before_(device_bytes_read(store_)) {}

    /// Since it was made; 0 on the ranks that do not count, -1 where nobody can.
    [[nodiscard]] std::int64_t bytes() const {
        const auto now = device_bytes_read(store_);
        if (!now || !before_) {
            return -1;
        }
        return counts_ ? *now - *before_ : 0;
    }

private:
    std::filesystem::path store_;
    bool counts_;
    std::optional<std::int64_t> before_;
};

/// The loads and raw reads of one store by one rank.
class LoadBench {
public:
    /// Collective. \throws Error (resources) when the weights do not fit into memory, and what
    /// opening the store may throw
    LoadBench(const LoadSettings& settings, const mpi::Communicator& world, double start_seconds)
        : settings_(settings)
        , world_(world)
        , layout_(world, 0)
        , file_(store::StoreFile::open(settings.store, world)) {
        mpi::together(world, [&] {
            const auto& family = models::family_of(file_.config());
            components_ = components_to_load(file_, family.describe(file_.config()), settings);
            raw_ = std::make_unique<RawReader>(
                settings.store,
                raw_parts(),
                settings.piece_bytes > 0 ? settings.piece_bytes : raw_piece_bytes);
        });
        plan_memory();
        setup_.settings = settings;
        setup_.nodes = layout_.nodes();
        setup_.raw_is_direct = raw_->is_direct();
        for (const ComponentSpec& spec : components_) {
            setup_.components.push_back(spec.name);
        }
        figures_.rank = world.rank();
        figures_.node = layout_.own_node();
        figures_.start_seconds = start_seconds;
    }

    /// Collective.
    void repeat() {
        for (int repetition = 0; repetition < settings_.repetitions; ++repetition) {
            log::info("repetition {} of {}", repetition + 1, settings_.repetitions);
            if (repetition % 2 == 0) {
                load();
                read_raw();
            } else {
                read_raw();
                load();
            }
        }
    }

    [[nodiscard]] const LoadSetup& setup() const { return setup_; }
    [[nodiscard]] const RankFigures& figures() const { return figures_; }

private:
    [[nodiscard]] std::vector<Interval> raw_parts() const {
        std::vector<Interval> parts;
        for (const ComponentSpec& spec : components_) {
            const std::int64_t begin = file_.slab_offset(spec.name);
            const Interval slab{begin, begin + file_.index().component(spec.name).slab_bytes};
            parts.push_back(share_of(slab, {.degree = world_.size(), .index = world_.rank()}));
        }
        return parts;
    }

    /// Bytes of weights for which this rank provides the memory.
    [[nodiscard]] std::int64_t own_weight_bytes() const {
        const std::int64_t bytes = held_bytes(file_, components_, settings_);
        if (settings_.strategy == LoadStrategy::everyone) {
            return bytes;
        }
        if (settings_.private_copies) {
            return bytes / std::max(settings_.tensor_parallel, settings_.weight_shards);
        }
        const mpi::NodeLayout sharing(world_, settings_.ranks_per_node);
        return bytes / sharing.node().size();
    }

    /// Finds out how much each load needs, and refuses what does not fit: a program that the system
    /// ends for want of memory cannot say why.
    void plan_memory() {
        const std::int64_t weights = own_weight_bytes();
        const mpi::Communicator& node = layout_.node();
        const std::int64_t needed = node.sum(weights + spare_bytes);
        std::int64_t available = 0;
        mpi::together(world_, [&] {
            available = device::available_host_bytes();
            require(
                needed <= available,
                ErrorKind::resources,
                "memory: the {} ranks of a node need {}, {} are available; use fewer ranks or a "
                "smaller store",
                node.size(),
                format_bytes(needed),
                format_bytes(available));
        });
        if (!settings_.untouched) {
            // The page cache needs room as well, where reads go through it.
            const std::int64_t cached = held_bytes(file_, components_, settings_) / node.size();
            const std::int64_t most = available / 10 * 9 / node.size();
            touched_bytes_ = std::min(weights + spare_bytes + cached, most);
        }
        setup_.touched_bytes = world_.sum(touched_bytes_);
    }

    /// Makes a phase begin with a cold cache and pages at hand. \returns what the cache still has
    [[nodiscard]] double prepare(std::int64_t touched_bytes) {
        double fraction = 0.0;
        mpi::together(world_, [&] {
            const bool leads = layout_.node().rank() == 0;
            if (leads && !settings_.warm) {
                drop_from_page_cache(settings_.store);
            }
            fraction = leads ? fraction_before(settings_.store) : 0.0;
        });
        if (touched_bytes > 0) {
            touch_memory(touched_bytes, world_);
        }
        world_.barrier();
        return fraction;
    }

    void load() {
        LoadSample sample;
        sample.resident_fraction = prepare(touched_bytes_);
        mpi::together(world_, forget_peak);
        const ResidentMemory before = resident_memory();
        const std::int64_t proportional_before = proportional_memory();
        const DeviceCounter device(settings_.store, layout_.node().rank() == 0);
        const std::int64_t read_before = storage_bytes_read();
        world_.barrier();

        const Stopwatch watch;
        const auto file = store::StoreFile::open(settings_.store, world_);
        sample.open_seconds = watch.seconds();
        const LoadedModel model = settings_.strategy == LoadStrategy::once
                                      ? load_once(file, components_, world_, settings_)
                                      : load_as_everyone(file, components_, world_);
        sample.total_seconds = watch.seconds();
        const ResidentMemory loaded = resident_memory();
        for (const auto& memory : model.memory) {
            read_every_page(memory);
            sample.weight_bytes += static_cast<std::int64_t>(memory.size());
        }
        sample.ready_seconds = watch.seconds();
        sample.bytes_read_by_system = storage_bytes_read() - read_before;

        world_.barrier();  // all ranks have all their pages
        sample.bytes_of_device = device.bytes();
        const std::int64_t resident = resident_memory().bytes;
        sample.proportional_bytes = proportional_memory() - proportional_before;
        sample.peak_bytes = loaded.peak_bytes - before.bytes;
        // Of its weights, what was not there when the peak was taken came by reading every page.
        const std::int64_t weights_then = sample.weight_bytes - (resident - loaded.bytes);
        sample.beyond_bytes = std::max(sample.peak_bytes - weights_then, std::int64_t{0});
        add_report(sample, model.report);
        world_.barrier();  // nobody frees what others still count
    }

    void add_report(LoadSample& sample, const store::LoadReport& report) {
        sample.read_seconds = report.read_seconds;
        sample.exchange_seconds = report.exchange_seconds;
        sample.attach_seconds = report.attach_seconds;
        sample.bytes_used = report.bytes_used;
        sample.bytes_read = report.bytes_read;
        sample.bytes_exchanged = report.bytes_exchanged;
        setup_.transport = report.transport;
        setup_.transport_reason = report.transport_reason;
        setup_.shared_host_copy = report.shared_host_copy;
        setup_.private_reason = report.private_reason;
        setup_.small_pages_reason = report.small_pages_reason;
        figures_.loads.push_back(sample);
    }

    void read_raw() {
        RawSample sample;
        sample.resident_fraction = prepare(0);  // its buffers have been touched
        const std::int64_t read_before = storage_bytes_read();
        world_.barrier();
        mpi::together(world_, [&] {
            const Stopwatch watch;
            sample.bytes = raw_->read();
            sample.seconds = watch.seconds();
        });
        sample.bytes_by_system = storage_bytes_read() - read_before;
        figures_.raws.push_back(sample);
    }

    const LoadSettings& settings_;
    const mpi::Communicator& world_;
    mpi::NodeLayout layout_;
    store::StoreFile file_;
    std::vector<ComponentSpec> components_;
    std::unique_ptr<RawReader> raw_;
    std::int64_t touched_bytes_ = 0;
    LoadSetup setup_;
    RankFigures figures_;
};

std::vector<RankFigures> gather(const RankFigures& own, const mpi::Communicator& world) {
    std::vector<RankFigures> ranks;
    for (const std::string& text : world.gather_texts(to_text(own), 0)) {
        ranks.push_back(rank_figures_from_text(text));
    }
    return ranks;
}

}  // namespace

int run_load_bench(const std::vector<std::string>& arguments, const mpi::Session& session) {
    const double start_seconds = seconds_since_start();
    const auto& world = session.world();
    LoadSettings settings;
    mpi::together(world, [&] { settings = parse_load_settings(arguments, world.size()); });
    if (settings.help) {
        if (world.rank() == 0) {
            std::cout << load_settings_help();
        }
        return 0;
    }
    log::configure({.level = settings.quiet ? log::Level::warning : log::Level::info,
                    .rank = world.rank(),
                    .ranks = world.size()});
    if (settings.synthesize_bytes > 0) {
        provide_synthetic_store(settings.store, settings.synthesize_bytes, world);
    }
    LoadBench bench(settings, world, start_seconds);
    bench.repeat();
    const auto ranks = gather(bench.figures(), world);
    mpi::together(world, [&] {
        if (world.rank() == 0) {
            std::cout << (settings.json ? load_figures_json(bench.setup(), ranks)
                                        : load_figures_table(bench.setup(), ranks))
                      << std::flush;
        }
    });
    return 0;
}

}  // namespace reelyard::cli
