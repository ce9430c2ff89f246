#include "reelyard/store/weight_loader.hpp"

#include <map>
#include <memory>
#include <optional>
#include <utility>

#include <ATen/ATen.h>

#include "reelyard/base/checksum.hpp"
#include "reelyard/base/clock.hpp"
#include "reelyard/base/error.hpp"
#include "reelyard/mpi/agreement.hpp"
#include "reelyard/store/transport/transport.hpp"

#include "host_buffer.hpp"
#include "load/load_plan.hpp"
#include "scalar_type.hpp"

namespace reelyard::store {
namespace {

// Shared by the tensors that are views into it; the last of them frees it.
using SharedBuffer = std::shared_ptr<HostBuffer>;

at::Tensor view_of(const SharedBuffer& buffer, const TensorPlace& place) {
    const StoredTensor& tensor = *place.tensor;
    std::vector<std::int64_t> shape = tensor.shape;
    if (tensor.transposed) {
        std::swap(shape[0], shape[1]);
    }
    if (tensor.bytes == 0) {
        return at::empty(tensor.shape, to_scalar_type(tensor.dtype));
    }
    const at::Tensor view = at::from_blob(
        buffer->data() + place.buffer_offset,
        shape,
        [buffer](void* /*memory*/) {},
        at::TensorOptions(to_scalar_type(tensor.dtype)));
    return tensor.transposed ? view.t() : view;
}

at::ScalarType final_type(const TensorPlace& place, const LoadOptions& options) {
    return place.precision == Precision::keep_float32 ? at::kFloat
                                                      : to_scalar_type(options.compute);
}

/// Tensors of their final type and place. As soon as one is not a view into the buffer none is, so
/// that the buffer's memory can go.
std::map<std::string, at::Tensor> make_tensors(const LoadPlan& plan,
                                               const SharedBuffer& buffer,
                                               const LoadOptions& options) {
    bool all_are_views = options.device.is_cpu();
    for (const TensorPlace& place : plan.tensors) {
        all_are_views =
            all_are_views && to_scalar_type(place.tensor->dtype) == final_type(place, options);
    }
    std::map<std::string, at::Tensor> tensors;
    for (const TensorPlace& place : plan.tensors) {
        at::Tensor tensor = view_of(buffer, place);
        if (!all_are_views) {
            tensor = tensor.to(at::TensorOptions(final_type(place, options)).device(options.device),
                               /*non_blocking=*/false,
                               /*copy=*/true);
            buffer->discard_until(place.buffer_offset + place.tensor->bytes);
        }
        tensors.emplace(place.tensor->name, std::move(tensor));
    }
    return tensors;
}

/// Every rank checks its share of the tensors.
void verify(const LoadPlan& plan,
            const HostBuffer& buffer,
            const mpi::Communicator& world,
            const std::string& place) {
    mpi::together(world, [&] {
        for (std::size_t i = static_cast<std::size_t>(world.rank()); i < plan.tensors.size();
             i += static_cast<std::size_t>(world.size())) {
            const StoredTensor& tensor = *plan.tensors[i].tensor;
            const std::uint64_t found =
                checksum(buffer.part(plan.tensors[i].buffer_offset, tensor.bytes));
            require(found == tensor.checksum,
                    ErrorKind::input,
                    "{}: tensor '{}' has checksum {} (expected {}); the weight store is corrupted",
                    place,
                    tensor.name,
                    to_hex(found),
                    to_hex(tensor.checksum));
        }
    });
}

}  // namespace

LoadedWeights load_component(const StoreFile& file,
                             const ComponentSpec& spec,
                             const mpi::Communicator& world,
                             const LoadOptions& options) {
    Stopwatch watch;
    LoadReport report;
    const LoadPlan plan = plan_load(file.index().component(spec.name), spec, options);
    const std::vector<std::int64_t> cuts = cut_buffer(plan, world.size());
    const auto rank = static_cast<std::size_t>(world.rank());
    report.bytes_used = plan.used_bytes;

    SharedBuffer buffer;
    mpi::together(world, [&] { buffer = std::make_shared<HostBuffer>(plan.buffer_bytes); });
    std::unique_ptr<Transport> transport;
    mpi::together(world, [&] { transport = make_transport(options.transport, file, world); });
    mpi::together(world, [&] {
        std::vector<Extent> extents;
        for (const SlabRange& range : ranges_within(plan, cuts[rank], cuts[rank + 1])) {
            extents.push_back({.offset = range.slab_begin,
                               .into = buffer->part(range.buffer_begin, range.bytes)});
        }
        report.bytes_read = transport->read(spec.name, extents);
    });
    transport.reset();
    report.read_seconds = watch.seconds();

    watch = Stopwatch();
    world.all_gather_in_place(buffer->part(0, plan.buffer_bytes), cuts);
    report.exchange_seconds = watch.seconds();

    watch = Stopwatch();
    if (options.verify) {
        verify(plan, *buffer, world, file.path().string());
    }
    std::map<std::string, at::Tensor> tensors;
    mpi::together(world, [&] { tensors = make_tensors(plan, buffer, options); });
    report.convert_seconds = watch.seconds();
    return {.weights = WeightSet(spec.name, std::move(tensors)), .report = report};
}

}  // namespace reelyard::store
