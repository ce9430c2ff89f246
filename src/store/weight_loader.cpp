#include "reelyard/store/weight_loader.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include <ATen/ATen.h>

#include "reelyard/base/bytes.hpp"
#include "reelyard/base/clock.hpp"
#include "reelyard/base/error.hpp"
#include "reelyard/device/memory_usage.hpp"
#include "reelyard/mpi/agreement.hpp"
#include "reelyard/store/transport/transport.hpp"

#include "host_name.hpp"
#include "load/lane.hpp"
#include "load/load_plan.hpp"
#include "load/tensor_sums.hpp"
#include "load/tensor_view.hpp"
#include "memory/page.hpp"
#include "scalar_type.hpp"

namespace reelyard::store {
namespace {

// Large enough for any storage to be at its speed, small enough for several to be under way in
// little memory.
constexpr std::int64_t default_piece_bytes = 16 * mebibyte;
// What the pieces on their way to a GPU may take of each rank's memory.
constexpr std::int64_t staging_limit = 256 * mebibyte;

bool is_staged(const LoadOptions& options) {
    return !options.device.is_cpu() || options.host_memory == HostMemory::passing;
}

/// Disk reads in whole pages: a page is the least that can be told apart.
std::int64_t choose_piece_bytes(const LoadOptions& options, int nodes) {
    std::int64_t bytes = options.piece_bytes > 0 ? options.piece_bytes : default_piece_bytes;
    if (is_staged(options)) {
        bytes = std::min(bytes, staging_limit / (nodes * (lookahead_rounds + 2)));
    }
    return std::max(bytes / page * page, page);
}

TransportChoice choose_together(const StoreFile& file,
                                const mpi::Communicator& world,
                                const LoadOptions& options,
                                int nodes) {
    const std::string text = mpi::on_root(world, [&] {
        const TransportChoice choice = choose_transport(options.transport, file.path(), nodes);
        return choice.name + '\n' + choice.reason;
    });
    const std::size_t cut = text.find('\n');
    return {.name = text.substr(0, cut), .reason = text.substr(cut + 1)};
}

/// Refuses what the memory of some node has no room for. Collective over both.
/// \param own_bytes of what this rank accounts for \param is_private each rank has its own copy
void check_copies_fit(std::int64_t own_bytes,
                      bool is_private,
                      const mpi::Communicator& node,
                      const mpi::Communicator& world) {
    const std::int64_t wanted = node.sum(own_bytes);
    mpi::together(world, [&] {
        const std::int64_t available = device::available_host_bytes();
        require(wanted <= available || !is_private,
                ErrorKind::resources,
                "{}: {} copies of the weights, one for each rank of the node, need {} (available: "
                "{}); run fewer ranks on a node, or give /dev/shm room for one shared copy",
                host_name(),
                node.size(),
                format_bytes(wanted),
                format_bytes(available));
        require(wanted <= available,
                ErrorKind::resources,
                "{}: the weights need {} (available: {}); run on nodes with more memory",
                host_name(),
                format_bytes(wanted),
                format_bytes(available));
    });
}

/// The segments of one component on their way into memory.
class Loading {
public:
    /// Collective. \throws Error (input) on all ranks
    Loading(const StoreFile& file,
            const ComponentSpec& spec,
            const mpi::Communicator& world,
            const LoadOptions& options)
        : file_(file)
        , spec_(spec)
        , world_(world)
        , nodes_(world, options.ranks_per_node)
        , options_(options)
        , stored_(file.index().component(spec.name))
        , sums_(stored_) {
        mpi::together(world_, [&] { plan_ = plan_load(stored_, spec_, options_); });
    }

    [[nodiscard]] LoadedWeights run() {
        const Stopwatch opening;
        make_lanes();
        const auto choice = choose_together(file_, world_, options_, nodes_.nodes());
        report_.transport = choice.name;
        report_.transport_reason = choice.reason;
        report_.read_seconds += opening.seconds();
        read_all(choice.name);
        if (options_.verify) {
            const Stopwatch watch;
            sums_.check(world_, file_.path().string());
            report_.exchange_seconds += watch.seconds();
        }
        return attach();
    }

private:
    /// One lane in one of its rounds; of a lane that has no more rounds on this rank, nothing.
    struct Step {
        Lane* lane;
        std::int64_t round;
        [[nodiscard]] bool is_empty() const { return round >= lane->rounds(); }
    };

    void make_lanes();
    void make_lanes_on(int node);
    [[nodiscard]] std::optional<Error> try_shared_lanes();
    [[nodiscard]] std::int64_t used_bytes() const;
    [[nodiscard]] std::vector<Step> all_steps() const;
    void read_all(const std::string& transport);
    void finish_read(Transport& transport, const Step& step);
    void settle(const Step& step);
    [[nodiscard]] LoadedWeights attach();

    /// Ranks with the same number hold the same shard.
    [[nodiscard]] int shard_number() const {
        return options_.tensor_parallel.index * options_.weight_shard.degree +
               options_.weight_shard.index;
    }

    const StoreFile& file_;
    const ComponentSpec& spec_;
    const mpi::Communicator& world_;
    mpi::NodeLayout nodes_;
    const LoadOptions& options_;
    const StoredComponent& stored_;
    LoadPlan plan_;
    TensorSums sums_;
    std::unique_ptr<Lane> common_;
    std::unique_ptr<Lane> own_shard_;
    std::optional<Error> failure_;  ///< of the first read of this rank that failed
    LoadReport report_;
};

void Loading::make_lanes() {
    const bool is_private = options_.host_memory == HostMemory::own_copy && !is_staged(options_);
    const auto refused = is_private ? std::nullopt : try_shared_lanes();
    if (refused) {
        report_.private_reason = refused->message();
    }
    if (is_private || refused) {
        make_lanes_on(world_.rank());
    }
    // What goes to a GPU needs no more than a few pieces.
    const std::int64_t bytes =
        is_staged(options_) ? 0 : common_->accounted_bytes() + own_shard_->accounted_bytes();
    check_copies_fit(bytes, is_private || refused, nodes_.node(), world_);
    for (const Lane* lane : {common_.get(), own_shard_.get()}) {
        if (!lane->small_pages_reason().empty()) {
            report_.small_pages_reason = lane->small_pages_reason();
        }
    }
    report_.bytes_used = used_bytes();
}

/// \returns why shared memory was refused on some node, the same on all ranks
std::optional<Error> Loading::try_shared_lanes() {
    try {
        make_lanes_on(nodes_.own_node());
    } catch (const Error& error) {
        common_.reset();
        own_shard_.reset();
        if (error.kind() != ErrorKind::resources) {
            throw;
        }
        return error;
    }
    const bool is_shared = common_->shares_memory() || own_shard_->shares_memory();
    report_.shared_host_copy = !is_staged(options_) && world_.max(is_shared ? 1 : 0) > 0;
    return std::nullopt;
}

/// Collective. \param node ranks that give the same number share memory
void Loading::make_lanes_on(int node) {
    const auto arrange = [&](int colour) {
        mpi::Communicator group = world_.split(colour, world_.rank());
        mpi::NodeLayout nodes = mpi::NodeLayout::by_number(group, node);
        return Lane::Ranks{.group = std::move(group), .nodes = std::move(nodes)};
    };
    Lane::Ranks all = arrange(0);
    Lane::Ranks same_shard = arrange(shard_number());
    const Lane::Choice choice{.device = options_.device,
                              .is_staged = is_staged(options_),
                              .piece_bytes = choose_piece_bytes(options_, all.nodes.nodes())};
    TensorSums* sums = options_.verify ? &sums_ : nullptr;
    // Between nodes nothing is said in here, so that one of them can fail alone.
    mpi::together(world_, [&] {
        common_ = std::make_unique<Lane>(plan_.common, std::move(all), choice, sums);
        own_shard_ = std::make_unique<Lane>(plan_.own_shard, std::move(same_shard), choice, sums);
    });
}

/// Of all shards together.
std::int64_t Loading::used_bytes() const {
    const bool speaks_for_shard = own_shard_->is_first_rank();
    return plan_.common.stored_bytes() +
           world_.sum(speaks_for_shard ? plan_.own_shard.stored_bytes() : 0);
}

std::vector<Loading::Step> Loading::all_steps() const {
    std::vector<Step> steps;
    for (Lane* lane : {common_.get(), own_shard_.get()}) {
        const std::int64_t rounds = world_.max(lane->rounds());
        for (std::int64_t round = 0; round < rounds; ++round) {
            steps.push_back({.lane = lane, .round = round});
        }
    }
    return steps;
}

void Loading::read_all(const std::string& transport_name) {
    const std::vector<Step> steps = all_steps();
    std::unique_ptr<Transport> transport;
    mpi::together(world_,
                  [&] { transport = make_transport(transport_name, file_, spec_.name, world_); });
    const auto ahead = static_cast<std::size_t>(lookahead_rounds);
    std::size_t started = 0;
    for (std::size_t now = 0; now < steps.size(); ++now) {
        for (; started < std::min(steps.size(), now + ahead); ++started) {
            const Step& next = steps[started];
            transport->start(next.is_empty() ? ReadTask{} : next.lane->read(next.round));
        }
        finish_read(*transport, steps[now]);
        if (now > 0) {
            settle(steps[now - 1]);
        }
    }
    if (!steps.empty()) {
        settle(steps.back());
    }
    transport.reset();
    const Stopwatch watch;
    world_.patient_barrier();
    report_.exchange_seconds += watch.seconds();
    mpi::together(world_, [&] {
        if (failure_) {
            throw Error(*failure_);
        }
    });
}

/// A rank whose read failed goes on where it can, so that nobody waits for it in vain.
void Loading::finish_read(Transport& transport, const Step& step) {
    Stopwatch watch;
    try {
        report_.bytes_read += transport.finish([&] {
            common_->progress();
            own_shard_->progress();
        });
    } catch (const Error& error) {
        if (!transport.goes_on_after_failure()) {
            throw;
        }
        failure_ = failure_ ? failure_ : error;
    }
    report_.read_seconds += watch.seconds();
    watch = Stopwatch();
    if (!step.is_empty()) {
        step.lane->arrived(step.round);
    }
    report_.exchange_seconds += watch.seconds();
}

void Loading::settle(const Step& step) {
    const Stopwatch watch;
    if (!step.is_empty()) {
        step.lane->settle(step.round);
    }
    report_.exchange_seconds += watch.seconds();
}

LoadedWeights Loading::attach() {
    const Stopwatch watch;
    const at::Tensor common = common_->finish();
    const at::Tensor own_shard = own_shard_->finish();
    LoadedWeights loaded;
    mpi::together(world_, [&] {
        std::map<std::string, at::Tensor> tensors;
        for (const TensorPlace& place : plan_.tensors) {
            tensors.emplace(place.tensor->name,
                            view_of(place.holder == Holder::all ? common : own_shard,
                                    to_scalar_type(place.dtype),
                                    place.shape,
                                    place.tensor->transposed,
                                    place.offset));
        }
        loaded.weights = WeightSet(spec_.name, std::move(tensors));
        for (BlockPlace& place : plan_.blocks) {
            const auto rank = static_cast<std::size_t>(options_.weight_shard.index);
            const std::int64_t bytes = place.cuts[rank + 1] - place.cuts[rank];
            loaded.blocks.push_back({.block = place.block,
                                     .cuts = std::move(place.cuts),
                                     .part = own_shard.narrow(0, place.offset, bytes),
                                     .tensors = std::move(place.tensors)});
        }
    });
    report_.bytes_exchanged = common_->bytes_received() + own_shard_->bytes_received();
    report_.attach_seconds = watch.seconds();
    loaded.report = report_;
    return loaded;
}

}  // namespace

void add(LoadReport& totals, const LoadReport& part) {
    totals.bytes_used += part.bytes_used;
    totals.bytes_read += part.bytes_read;
    totals.bytes_exchanged += part.bytes_exchanged;
    totals.read_seconds += part.read_seconds;
    totals.exchange_seconds += part.exchange_seconds;
    totals.attach_seconds += part.attach_seconds;
    totals.transport = part.transport;
    totals.transport_reason = part.transport_reason;
    totals.shared_host_copy = totals.shared_host_copy || part.shared_host_copy;
    if (!part.private_reason.empty()) {
        totals.private_reason = part.private_reason;
    }
    if (!part.small_pages_reason.empty()) {
        totals.small_pages_reason = part.small_pages_reason;
    }
}

LoadedWeights load_component(const StoreFile& file,
                             const ComponentSpec& spec,
                             const mpi::Communicator& world,
                             const LoadOptions& options) {
    return Loading(file, spec, world, options).run();
}

}  // namespace reelyard::store
