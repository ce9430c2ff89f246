#include "loaded_model.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include <ATen/core/Tensor.h>
#include <fcntl.h>
#include <unistd.h>

#include "reelyard/base/bytes.hpp"
#include "reelyard/base/clock.hpp"
#include "reelyard/base/error.hpp"
#include "reelyard/mpi/agreement.hpp"

namespace reelyard::cli {
namespace {

/// The one type below float32 that the tensors of a component are stored in; float32 when there is
/// none.
DType stored_type(const store::StoredComponent& stored) {
    std::optional<DType> narrow;
    for (const store::StoredTensor& tensor : stored.tensors) {
        if (tensor.dtype == DType::float32) {
            continue;
        }
        require(!narrow || *narrow == tensor.dtype,
                ErrorKind::input,
                "component '{}': tensor '{}' is stored as {}, others as {}; say with --dtype what "
                "they are to become",
                stored.name,
                tensor.name,
                to_string(tensor.dtype),
                to_string(narrow.value_or(tensor.dtype)));
        narrow = tensor.dtype;
    }
    return narrow.value_or(DType::float32);
}

/// The component with precisions by which each tensor stays as it is stored.
ComponentSpec as_stored(ComponentSpec spec, const store::StoredComponent& stored) {
    std::map<std::string_view, DType> types;
    for (const store::StoredTensor& tensor : stored.tensors) {
        types.emplace(tensor.name, tensor.dtype);
    }
    for (TensorSpec& tensor : spec.tensors) {
        const auto found = types.find(tensor.name);
        const bool is_wide = found == types.end() || found->second == DType::float32;
        tensor.precision = is_wide ? Precision::keep_float32 : Precision::compute;
    }
    return spec;
}

DType compute_type(const store::StoreFile& file,
                   const ComponentSpec& spec,
                   const LoadSettings& settings) {
    return settings.dtype ? *settings.dtype : stored_type(file.index().component(spec.name));
}

std::span<const std::byte> memory_of(const at::Tensor& tensor) {
    return {static_cast<const std::byte*>(tensor.const_data_ptr()), tensor.nbytes()};
}

void add_memory(LoadedModel& model, const store::LoadedWeights& loaded) {
    for (const std::string& name : loaded.weights.names()) {
        model.memory.push_back(memory_of(loaded.weights.get(name)));
    }
    for (const store::BlockShard& block : loaded.blocks) {
        model.memory.push_back(memory_of(block.part));
    }
}

/// Reads as programs do that know nothing of the storage.
class PlainFile {
public:
    explicit PlainFile(const std::filesystem::path& path)
        : path_(path)
        , fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
        require(fd_ >= 0, ErrorKind::input, "{}: {}", path.string(), std::strerror(errno));
    }
    PlainFile(const PlainFile&) = delete;
    PlainFile& operator=(const PlainFile&) = delete;
    ~PlainFile() { ::close(fd_); }

    void read(std::int64_t offset, std::span<std::byte> into) const {
        while (!into.empty()) {
            const auto count = std::min(into.size(), static_cast<std::size_t>(gibibyte));
            const ::ssize_t got = ::pread(fd_, into.data(), count, offset);
            if (got < 0 && errno == EINTR) {
                continue;
            }
            require(got > 0,
                    ErrorKind::storage,
                    "{}: reading at {} failed: {}",
                    path_.string(),
                    offset,
                    got == 0 ? "the file ends there" : std::strerror(errno));
            into = into.subspan(static_cast<std::size_t>(got));
            offset += got;
        }
    }

private:
    std::filesystem::path path_;
    int fd_;
};

void read_component(LoadedModel& model,
                    const PlainFile& plain,
                    const store::StoreFile& file,
                    const std::string& name) {
    const std::int64_t slab = file.slab_offset(name);
    for (const store::StoredTensor& tensor : file.index().component(name).tensors) {
        const auto size = static_cast<std::size_t>(tensor.bytes);
        auto copy = std::make_unique_for_overwrite<std::byte[]>(size);
        plain.read(slab + tensor.offset, {copy.get(), size});
        model.memory.emplace_back(copy.get(), size);
        model.copies.push_back(std::move(copy));
        model.report.bytes_used += tensor.bytes;
        model.report.bytes_read += tensor.bytes;
    }
}

}  // namespace

std::vector<ComponentSpec> components_to_load(const store::StoreFile& file,
                                              const ModelSpec& model,
                                              const LoadSettings& settings) {
    std::vector<ComponentSpec> components;
    std::vector<std::string> names;
    for (const ComponentSpec& spec : model.components) {
        names.push_back(spec.name);
        if (settings.component.empty() || settings.component == spec.name) {
            components.push_back(
                settings.dtype ? spec : as_stored(spec, file.index().component(spec.name)));
        }
    }
    require(!components.empty(),
            ErrorKind::input,
            "{}: there is no component '{}' (expected one of {})",
            file.path().string(),
            settings.component,
            fmt::join(names, ", "));
    return components;
}

std::int64_t held_bytes(const store::StoreFile& file,
                        const std::vector<ComponentSpec>& components,
                        const LoadSettings& settings) {
    std::int64_t bytes = 0;
    for (const ComponentSpec& spec : components) {
        const DType compute = compute_type(file, spec, settings);
        for (const TensorSpec& tensor : spec.tensors) {
            const bool is_wide = tensor.precision == Precision::keep_float32;
            bytes += element_count(tensor.shape) * size_of(is_wide ? DType::float32 : compute);
        }
    }
    return bytes;
}

LoadedModel load_once(const store::StoreFile& file,
                      const std::vector<ComponentSpec>& components,
                      const mpi::Communicator& world,
                      const LoadSettings& settings) {
    LoadedModel model;
    for (const ComponentSpec& spec : components) {
        store::LoadOptions options;
        options.compute = compute_type(file, spec, settings);
        options.tensor_parallel = {.degree = settings.tensor_parallel,
                                   .index = world.rank() % settings.tensor_parallel};
        options.weight_shard = {.degree = settings.weight_shards,
                                .index = world.rank() % settings.weight_shards};
        options.verify = settings.verify;
        options.transport = settings.transport;
        options.host_memory =
            settings.private_copies ? store::HostMemory::own_copy : store::HostMemory::shared;
        options.ranks_per_node = settings.ranks_per_node;
        options.piece_bytes = settings.piece_bytes;
        model.components.push_back(store::load_component(file, spec, world, options));
        add(model.report, model.components.back().report);
        add_memory(model, model.components.back());
    }
    return model;
}

LoadedModel load_as_everyone(const store::StoreFile& file,
                             const std::vector<ComponentSpec>& components,
                             const mpi::Communicator& world) {
    LoadedModel model;
    const Stopwatch watch;
    mpi::together(world, [&] {
        const PlainFile plain(file.path());
        for (const ComponentSpec& spec : components) {
            read_component(model, plain, file, spec.name);
        }
        // Of this rank alone: whoever is done first waits for nobody.
        model.report.read_seconds = watch.seconds();
    });
    model.report.transport = "plain";
    model.report.transport_reason = "every rank reads everything";
    return model;
}

}  // namespace reelyard::cli
