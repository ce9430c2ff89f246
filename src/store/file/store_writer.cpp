#include "file/store_writer.hpp"

#include <algorithm>
#include <span>
#include <string>
#include <system_error>

#include "reelyard/base/bytes.hpp"
#include "reelyard/base/checksum.hpp"
#include "reelyard/base/error.hpp"

#include "file/byte_file.hpp"
#include "file/h5.hpp"
#include "file/store_names.hpp"

namespace reelyard::store {
namespace {

// Datasets from this size on are aligned; smaller things are HDF5's own.
constexpr std::int64_t aligned_from = 4 * kibibyte;
constexpr std::int64_t small_alignment = 4 * kibibyte;
constexpr std::int64_t large_alignment = mebibyte;
constexpr std::int64_t large_slab = 64 * mebibyte;
// More than HDF5 needs for its own headers.
constexpr std::int64_t own_metadata = mebibyte;

/// Slabs start on pages; in stores where it costs nothing, on the stripes of parallel file systems.
std::int64_t alignment_for(const StoreIndex& index) {
    const bool has_large = std::any_of(index.components.begin(),
                                       index.components.end(),
                                       [](const auto& c) { return c.slab_bytes >= large_slab; });
    return has_large ? large_alignment : small_alignment;
}

h5::Properties aligned_access(std::int64_t alignment, const std::filesystem::path& path) {
    h5::Properties access = h5::access_without_locks(path);
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

std::int64_t size_of(const std::string& text) {
    return static_cast<std::int64_t>(text.size());
}

/// Finds out whether a store of this index will fit, while HDF5 is not yet involved.
void expect_room(const std::filesystem::path& path,
                 const StoreIndex& index,
                 std::int64_t alignment) {
    std::int64_t size = own_metadata + align_up(size_of(to_json(index)), alignment);
    for (const StoredComponent& component : index.components) {
        size += align_up(component.slab_bytes, alignment) + alignment;
    }
    for (const StoredFile& file : index.files) {
        size += align_up(file.bytes, alignment) + alignment;
    }
    const ByteFile probe(path, ByteFile::Access::create);
    probe.reserve(size, own_metadata);
}

}  // namespace

void expect_writable(const std::filesystem::path& output, const StoreIndex& index) {
    namespace fs = std::filesystem;
    const fs::path folder = output.has_parent_path() ? output.parent_path() : fs::path(".");
    std::error_code code;
    require(!output.filename().empty() && !fs::is_directory(output, code),
            ErrorKind::usage,
            "{}: is a folder (expected the name of a file to write)",
            output.string());
    require(fs::is_directory(folder, code),
            ErrorKind::usage,
            "{}: no such folder to write '{}' into",
            folder.string(),
            output.filename().string());
    std::int64_t needed = 0;
    for (const StoredComponent& component : index.components) {
        needed += component.slab_bytes;
    }
    const fs::space_info space = fs::space(folder, code);
    require(code || static_cast<std::int64_t>(space.available) >= needed,
            ErrorKind::resources,
            "{}: has {} free (expected {} for the weight store); make room and run again",
            folder.string(),
            format_bytes(static_cast<std::int64_t>(space.available)),
            format_bytes(needed));
}

StorePlaces create_store(const std::filesystem::path& path, const StoreIndex& index) {
    const std::int64_t alignment = alignment_for(index);
    expect_room(path, index, alignment);

    h5::silence();
    const h5::Properties access = aligned_access(alignment, path);
    h5::File file(h5::check(
        H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access.get()), "H5Fcreate", path));
    h5::write_attribute(file.get(), names::format_attribute, std::string(names::format), path);
    h5::write_attribute(file.get(), names::version_attribute, schema_version, path);
    const auto make = [&](const std::string& name, std::int64_t bytes) {
        return h5::make_bytes(file.get(), name, bytes, path).file_offset;
    };
    StorePlaces places;
    places.index = make(names::index, size_of(to_json(index)));
    places.index_checksum = make(names::index_checksum, size_of(to_hex(0)));
    for (const StoredFile& entry : index.files) {
        places.files.push_back(make(names::file(entry.path), entry.bytes));
    }
    for (const StoredComponent& component : index.components) {
        places.slabs.push_back(make(names::slab(component.name), component.slab_bytes));
    }
    h5::check(file.close_now(), "H5Fclose", path);
    return places;
}

void finish_store(const std::filesystem::path& path,
                  const StorePlaces& places,
                  const StoreIndex& index,
                  const CheckpointConfig& config) {
    const ByteFile out(path, ByteFile::Access::write);
    for (std::size_t i = 0; i < index.files.size(); ++i) {
        out.write(places.files[i], bytes_of(file_content(config, index.files[i].path)));
    }
    const std::string text = to_json(index);
    out.write(places.index, bytes_of(text));
    out.write(places.index_checksum, bytes_of(to_hex(checksum(bytes_of(text)))));
}

}  // namespace reelyard::store
