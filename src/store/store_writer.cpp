#include "store_writer.hpp"

#include <algorithm>
#include <span>
#include <string>

#include "reelyard/base/bytes.hpp"
#include "reelyard/base/checksum.hpp"

#include "h5.hpp"
#include "store_names.hpp"

namespace reelyard::store {
namespace {

// Datasets from this size on are aligned; smaller things are HDF5's own.
constexpr std::int64_t aligned_from = 4 * kibibyte;
constexpr std::int64_t small_alignment = 4 * kibibyte;
constexpr std::int64_t large_alignment = mebibyte;
constexpr std::int64_t large_slab = 64 * mebibyte;

/// Slabs start on pages; in stores where it costs nothing, on the stripes of parallel file systems.
std::int64_t alignment_for(const StoreIndex& index) {
    const bool has_large = std::any_of(index.components.begin(),
                                       index.components.end(),
                                       [](const auto& c) { return c.slab_bytes >= large_slab; });
    return has_large ? large_alignment : small_alignment;
}

h5::Properties aligned_access(std::int64_t alignment, const std::filesystem::path& path) {
    h5::Properties access(h5::check(H5Pcreate(H5P_FILE_ACCESS), "H5Pcreate", path));
    h5::check(
        H5Pset_alignment(
            access.get(), static_cast<hsize_t>(aligned_from), static_cast<hsize_t>(alignment)),
        "H5Pset_alignment",
        path);
    return access;
}

std::span<const std::byte> bytes_of(const std::string& text) {
    return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace

std::vector<std::int64_t> create_store(const std::filesystem::path& path,
                                       const StoreIndex& index,
                                       const CheckpointConfig& config) {
    h5::silence();
    const h5::Properties access = aligned_access(alignment_for(index), path);
    h5::File file(h5::check(
        H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access.get()), "H5Fcreate", path));
    h5::write_attribute(file.get(), names::format_attribute, std::string(names::format), path);
    h5::write_attribute(file.get(), names::version_attribute, schema_version, path);
    for (const auto& [name, content] : config.files) {
        h5::write_bytes(file.get(), names::file(name), bytes_of(content), path);
    }
    std::vector<std::int64_t> offsets;
    for (const StoredComponent& component : index.components) {
        offsets.push_back(
            h5::make_bytes(file.get(), names::slab(component.name), component.slab_bytes, path)
                .file_offset);
    }
    h5::check(file.close_now(), "H5Fclose", path);
    return offsets;
}

void finish_store(const std::filesystem::path& path, const StoreIndex& index) {
    h5::silence();
    const h5::Properties access = aligned_access(small_alignment, path);
    h5::File file(h5::check(H5Fopen(path.c_str(), H5F_ACC_RDWR, access.get()), "H5Fopen", path));
    const std::string text = to_json(index);
    h5::write_bytes(file.get(), names::index, bytes_of(text), path);
    {
        const h5::Dataset dataset(
            h5::check(H5Dopen2(file.get(), names::index, H5P_DEFAULT), "H5Dopen2", path));
        h5::write_attribute(
            dataset.get(), names::checksum_attribute, to_hex(checksum(bytes_of(text))), path);
    }
    h5::check(file.close_now(), "H5Fclose", path);
}

}  // namespace reelyard::store
