#include "comm_bench.hpp"

#include <cstddef>
#include <functional>
#include <iostream>
#include <memory>
#include <span>
#include <utility>

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include "reelyard/base/bytes.hpp"
#include "reelyard/base/clock.hpp"
#include "reelyard/base/error.hpp"
#include "reelyard/device/device.hpp"
#include "reelyard/device/memory_usage.hpp"
#include "reelyard/mpi/agreement.hpp"
#include "reelyard/mpi/node_layout.hpp"
#include "reelyard/mpi/requests.hpp"
#include "reelyard/parallel/backend_registry.hpp"

#include "../../run/compute_threads.hpp"
#include "comm_figures.hpp"
#include "comm_operations.hpp"
#include "comm_settings.hpp"

namespace reelyard::cli {
namespace {

// The buffers of a size, and what operations need besides.
constexpr std::int64_t copies_of_data = 6;

std::span<std::byte> memory_of(const at::Tensor& tensor) {
    return {static_cast<std::byte*>(tensor.mutable_data_ptr()), tensor.nbytes()};
}

at::ScalarType to_scalar_type(DType dtype) {
    return dtype == DType::bfloat16 ? at::kBFloat16 : at::kFloat;
}

/// The measurements of one rank. All its functions are collective over all ranks.
class CommBench {
public:
    CommBench(const CommSettings& settings, const mpi::Communicator& world)
        : settings_(settings)
        , world_(world)
        , layout_(world, 0)
        , group_(world.split(world.rank() / settings.group, world.rank())) {
        mpi::together(world, [&] {
            device_ = device::resolve(settings.device, layout_.node().rank());
            device::make_current(device_);
        });
        check_memory();
        report_ = {.settings = settings,
                   .ranks = world.size(),
                   .nodes = layout_.nodes(),
                   .device = device_.is_cuda() ? "cuda" : "cpu",
                   .backend = choose_for_all()};
        comm_ = std::make_unique<parallel::TensorComm>(
            "measured group",
            parallel::make_backend(group_.duplicate(),
                                   {.name = report_.backend == "none" ? "mpi" : report_.backend,
                                    .device = device_,
                                    .timeout = settings.timeout}),
            settings.timeout);
        report_.exchange.name = "exchange";
        report_.copy.name = "copy";
    }

    CommReport measure() {
        for (const CommOperation& operation : comm_operations()) {
            report_.operations.push_back({.name = std::string(operation.name), .sizes = {}});
        }
        for (const std::int64_t size : settings_.sizes) {
            measure_size(size);
        }
        return report_;
    }

private:
    /// Groups that differ (some with a GPU for each rank, some without) all take what all can.
    [[nodiscard]] std::string choose_for_all() const {
        const std::string own = parallel::choose_backend(settings_.backend, group_, device_);
        if (settings_.group == 1) {
            return "none";
        }
        return world_.max(own == "mpi" ? 1 : 0) == 1 ? "mpi" : own;
    }

    void check_memory() const {
        const mpi::Communicator& node = layout_.node();
        const std::int64_t needed = node.sum(copies_of_data * settings_.sizes.back());
        mpi::together(world_, [&] {
            const std::int64_t available = device::available_host_bytes();
            require(device_.is_cuda() || needed <= available,
                    ErrorKind::resources,
                    "memory: data of {} on the {} ranks of a node needs {}, {} are available; use "
                    "smaller --sizes or fewer ranks",
                    format_bytes(settings_.sizes.back()),
                    node.size(),
                    format_bytes(needed),
                    format_bytes(available));
        });
    }

    void measure_size(std::int64_t size) {
        const at::TensorOptions options(to_scalar_type(settings_.dtype));
        std::unique_ptr<CommBuffers> buffers;
        std::unique_ptr<CommBuffers> on_host;
        mpi::together(world_, [&] {
            const std::int64_t elements = size / size_of(settings_.dtype);
            buffers = std::make_unique<CommBuffers>(elements, options.device(device_), *comm_);
            if (device_.is_cuda()) {
                on_host = std::make_unique<CommBuffers>(elements, options, *comm_);
            }
        });
        const bool is_first = report_.copy.sizes.empty();
        for (std::size_t i = 0; i < comm_operations().size(); ++i) {
            const CommOperation& operation = comm_operations()[i];
            if (operation.has_size || is_first) {
                report_.operations[i].sizes.push_back(time(operation, *buffers, size));
            }
        }
        if (group_.size() > 1) {
            report_.exchange.sizes.push_back(exchange(on_host ? *on_host : *buffers, size));
        }
        report_.copy.sizes.push_back(
            {.size_bytes = size, .received_bytes = size, .seconds = time([&] {
                                                             buffers->other.copy_(buffers->whole);
                                                         })});
    }

    CommFigures time(const CommOperation& operation,
                     const CommBuffers& buffers,
                     std::int64_t size) {
        const std::string name(operation.name);
        const std::int64_t before = received(name);
        const Spread seconds = time([&] { operation.run(*comm_, buffers); });
        const std::int64_t bytes = (received(name) - before) / (settings_.repetitions + 1);
        return {.size_bytes = operation.has_size ? size : 0,
                .received_bytes = world_.max(bytes),
                .seconds = seconds};
    }

    [[nodiscard]] std::int64_t received(const std::string& operation) const {
        const auto found = comm_->volumes().find(operation);
        return found == comm_->volumes().end() ? 0 : found->second.bytes;
    }

    /// Each rank sends to the next of its group and receives from the one before, over plain MPI.
    CommFigures exchange(const CommBuffers& buffers, std::int64_t size) {
        const int next = (group_.rank() + 1) % group_.size();
        const int previous = (group_.rank() + group_.size() - 1) % group_.size();
        const Spread seconds = time([&] {
            mpi::Requests requests(group_);
            requests.receive(memory_of(buffers.other), previous, 0);
            requests.send(memory_of(buffers.whole), next, 0);
            requests.wait();
        });
        return {.size_bytes = size, .received_bytes = size, .seconds = seconds};
    }

    /// Seconds of the slowest rank.
    [[nodiscard]] Spread time(const std::function<void()>& action) const {
        std::vector<double> seconds;
        for (int repetition = 0; repetition <= settings_.repetitions; ++repetition) {
            device::synchronize(device_);
            world_.barrier();
            const Stopwatch watch;
            action();
            device::synchronize(device_);
            constexpr double nano = 1e-9;
            const auto own = static_cast<std::int64_t>(watch.seconds() / nano);
            const auto slowest = static_cast<double>(world_.max(own)) * nano;
            if (repetition > 0) {  // the first is the warm-up
                seconds.push_back(slowest);
            }
        }
        return spread_of(seconds);
    }

    const CommSettings& settings_;
    const mpi::Communicator& world_;
    mpi::NodeLayout layout_;
    mpi::Communicator group_;
    c10::Device device_{c10::DeviceType::CPU};
    std::unique_ptr<parallel::TensorComm> comm_;
    CommReport report_;
};

}  // namespace

int run_comm_bench(const std::vector<std::string>& arguments, const mpi::Session& session) {
    const auto& world = session.world();
    CommSettings settings;
    mpi::together(world, [&] { settings = parse_comm_settings(arguments, world.size()); });
    if (settings.help) {
        if (world.rank() == 0) {
            std::cout << comm_settings_help();
        }
        return 0;
    }
    set_compute_threads(world);
    const c10::InferenceMode inference;
    CommBench bench(settings, world);
    const CommReport report = bench.measure();
    mpi::together(world, [&] {
        if (world.rank() == 0) {
            std::cout << (settings.json ? comm_figures_json(report) : comm_figures_table(report))
                      << std::flush;
        }
    });
    return 0;
}

}  // namespace reelyard::cli
