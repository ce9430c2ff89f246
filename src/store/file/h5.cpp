#include "file/h5.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

#include "reelyard/base/error.hpp"
#include "reelyard/base/format.hpp"

namespace reelyard::store::h5 {
namespace {

constexpr std::int64_t longest_text_attribute = 4096;

/// Called by H5Ewalk2 for each entry of the error stack, outermost first.
herr_t collect(unsigned /*number*/, const H5E_error2_t* entry, void* data) {
    auto& lines = *static_cast<std::string*>(data);
    if (entry->desc != nullptr) {
        lines += lines.empty() ? "" : ": ";
        lines += entry->desc;
    }
    return 0;
}

/// HDF5 tells the operating system's error only in the text of its stack.
bool means_no_room(const std::string& stack) {
    const std::array<int, 3> codes{ENOSPC, EDQUOT, EFBIG};
    return std::any_of(codes.begin(), codes.end(), [&](int code) {
        return stack.find(std::strerror(code)) != std::string::npos;
    });
}

std::int64_t file_size(hid_t file, const std::filesystem::path& place) {
    hsize_t size = 0;
    check(H5Fget_filesize(file, &size), "H5Fget_filesize", place);
    return static_cast<std::int64_t>(size);
}

/// Whether there is such a link, and it leads to something in this file.
bool is_own_link(hid_t file, const std::string& path) {
    H5L_info_t info{};
    return H5Lexists(file, path.c_str(), H5P_DEFAULT) > 0 &&
           H5Lget_info(file, path.c_str(), &info, H5P_DEFAULT) >= 0 && info.type == H5L_TYPE_HARD;
}

Dataset open_dataset(hid_t file, const std::string& path, const std::filesystem::path& place) {
    // Every group on the way must be there: HDF5 fails on "a/b" when "a" is missing.
    bool found = true;
    for (std::size_t end = path.find('/'); found && end != std::string::npos;
         end = path.find('/', end + 1)) {
        found = is_own_link(file, path.substr(0, end));
    }
    require(found && is_own_link(file, path),
            ErrorKind::input,
            "{}: has no dataset '{}'",
            place.string(),
            path);
    return Dataset(check(H5Dopen2(file, path.c_str(), H5P_DEFAULT), "H5Dopen2", place));
}

/// Properties of a contiguous dataset that gets its place in the file at once, is not filled, and
/// carries no time stamp (so that equal content gives equal files).
Properties contiguous_properties(const std::filesystem::path& place) {
    Properties properties(check(H5Pcreate(H5P_DATASET_CREATE), "H5Pcreate", place));
    check(H5Pset_layout(properties.get(), H5D_CONTIGUOUS), "H5Pset_layout", place);
    check(H5Pset_alloc_time(properties.get(), H5D_ALLOC_TIME_EARLY), "H5Pset_alloc_time", place);
    check(H5Pset_fill_time(properties.get(), H5D_FILL_TIME_NEVER), "H5Pset_fill_time", place);
    check(H5Pset_obj_track_times(properties.get(), false), "H5Pset_obj_track_times", place);
    return properties;
}

Dataset create_dataset(hid_t file,
                       const std::string& path,
                       std::int64_t bytes,
                       const std::filesystem::path& place) {
    const auto extent = static_cast<hsize_t>(bytes);
    const Dataspace space(check(H5Screate_simple(1, &extent, nullptr), "H5Screate_simple", place));
    const Properties groups(check(H5Pcreate(H5P_LINK_CREATE), "H5Pcreate", place));
    check(H5Pset_create_intermediate_group(groups.get(), 1),
          "H5Pset_create_intermediate_group",
          place);
    const Properties properties = contiguous_properties(place);
    return Dataset(check(H5Dcreate2(file,
                                    path.c_str(),
                                    H5T_STD_U8LE,
                                    space.get(),
                                    groups.get(),
                                    properties.get(),
                                    H5P_DEFAULT),
                         "H5Dcreate2",
                         place));
}

ByteRange range_of(const Dataset& dataset, std::int64_t bytes) {
    if (bytes == 0) {
        return {};
    }
    const haddr_t offset = H5Dget_offset(dataset.get());
    return {.file_offset = offset == HADDR_UNDEF ? -1 : static_cast<std::int64_t>(offset),
            .bytes = bytes};
}

/// The length of a one-dimensional uint8 dataset; nothing for any other.
std::optional<std::int64_t> length_of(const Dataset& dataset, const std::filesystem::path& place) {
    const Type type(check(H5Dget_type(dataset.get()), "H5Dget_type", place));
    const Dataspace space(check(H5Dget_space(dataset.get()), "H5Dget_space", place));
    if (H5Tequal(type.get(), H5T_STD_U8LE) <= 0 || H5Sget_simple_extent_ndims(space.get()) != 1) {
        return std::nullopt;
    }
    return H5Sget_simple_extent_npoints(space.get());
}

Attribute open_attribute(hid_t object, const char* name, const std::filesystem::path& place) {
    require(H5Aexists(object, name) > 0,
            ErrorKind::input,
            "{}: has no attribute '{}' (expected a weight store made by 'reelyard import')",
            place.string(),
            name);
    return Attribute(check(H5Aopen(object, name, H5P_DEFAULT), "H5Aopen", place));
}

/// A text type of fixed length without terminator, UTF-8.
Type text_type(std::size_t length, const std::filesystem::path& place) {
    Type type(check(H5Tcopy(H5T_C_S1), "H5Tcopy", place));
    check(H5Tset_size(type.get(), length), "H5Tset_size", place);
    check(H5Tset_strpad(type.get(), H5T_STR_NULLPAD), "H5Tset_strpad", place);
    check(H5Tset_cset(type.get(), H5T_CSET_UTF8), "H5Tset_cset", place);
    return type;
}

void write_attribute_as(hid_t object,
                        const char* name,
                        hid_t type,
                        const void* value,
                        const std::filesystem::path& place) {
    const Dataspace space(check(H5Screate(H5S_SCALAR), "H5Screate", place));
    const Attribute attribute(
        check(H5Acreate2(object, name, type, space.get(), H5P_DEFAULT, H5P_DEFAULT),
              "H5Acreate2",
              place));
    check(H5Awrite(attribute.get(), type, value), "H5Awrite", place);
}

}  // namespace

void silence() {
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

void fail_with_stack(const char* call, const std::filesystem::path& place) {
    std::string stack;
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, collect, &stack);
    H5Eclear2(H5E_DEFAULT);
    fail(means_no_room(stack) ? ErrorKind::resources : ErrorKind::storage,
         "{}: {} failed: {}",
         place.string(),
         call,
         stack.empty() ? "no reason given" : stack);
}

Properties access_without_locks(const std::filesystem::path& place) {
    Properties access(check(H5Pcreate(H5P_FILE_ACCESS), "H5Pcreate", place));
    check(H5Pset_file_locking(access.get(), false, true), "H5Pset_file_locking", place);
    return access;
}

ByteRange byte_range(hid_t file, const std::string& path, const std::filesystem::path& place) {
    const Dataset dataset = open_dataset(file, path, place);
    const auto length = length_of(dataset, place);
    require(length.has_value(),
            ErrorKind::input,
            "{}: dataset '{}' is not a list of bytes",
            place.string(),
            path);
    const ByteRange range = range_of(dataset, *length);
    const std::int64_t size = file_size(file, place);
    require(
        range.file_offset >= 0 && range.bytes <= size && range.file_offset <= size - range.bytes,
        ErrorKind::input,
        "{}: dataset '{}' does not lie in one piece within the file",
        place.string(),
        path);
    return range;
}

std::string read_bytes(hid_t file,
                       const std::string& path,
                       std::int64_t limit,
                       const std::filesystem::path& place) {
    const ByteRange range = byte_range(file, path, place);
    require(range.bytes <= limit,
            ErrorKind::input,
            "{}: dataset '{}' has {} bytes (expected at most {})",
            place.string(),
            path,
            range.bytes,
            limit);
    std::string content(static_cast<std::size_t>(range.bytes), ' ');
    const Dataset dataset = open_dataset(file, path, place);
    check(H5Dread(dataset.get(), H5T_STD_U8LE, H5S_ALL, H5S_ALL, H5P_DEFAULT, content.data()),
          "H5Dread",
          place);
    return content;
}

ByteRange make_bytes(hid_t file,
                     const std::string& path,
                     std::int64_t bytes,
                     const std::filesystem::path& place) {
    const Dataset dataset = create_dataset(file, path, bytes, place);
    const ByteRange range = range_of(dataset, bytes);
    require(range.file_offset >= 0,
            ErrorKind::storage,
            "{}: HDF5 gave dataset '{}' no place in the file",
            place.string(),
            path);
    return range;
}

void write_attribute(hid_t object,
                     const char* name,
                     std::int64_t value,
                     const std::filesystem::path& place) {
    write_attribute_as(object, name, H5T_STD_I64LE, &value, place);
}

void write_attribute(hid_t object,
                     const char* name,
                     const std::string& value,
                     const std::filesystem::path& place) {
    const Type type = text_type(std::max<std::size_t>(value.size(), 1), place);
    write_attribute_as(object, name, type.get(), value.c_str(), place);
}

std::int64_t read_integer_attribute(hid_t object,
                                    const char* name,
                                    const std::filesystem::path& place) {
    const Attribute attribute = open_attribute(object, name, place);
    const Dataspace space(check(H5Aget_space(attribute.get()), "H5Aget_space", place));
    const Type type(check(H5Aget_type(attribute.get()), "H5Aget_type", place));
    require(
        H5Tget_class(type.get()) == H5T_INTEGER && H5Sget_simple_extent_npoints(space.get()) == 1,
        ErrorKind::input,
        "{}: attribute '{}' is not one integer",
        place.string(),
        name);
    std::int64_t value = 0;
    check(H5Aread(attribute.get(), H5T_NATIVE_INT64, &value), "H5Aread", place);
    return value;
}

std::string read_text_attribute(hid_t object,
                                const char* name,
                                const std::filesystem::path& place) {
    const Attribute attribute = open_attribute(object, name, place);
    const Dataspace space(check(H5Aget_space(attribute.get()), "H5Aget_space", place));
    const Type type(check(H5Aget_type(attribute.get()), "H5Aget_type", place));
    const auto length = static_cast<std::int64_t>(H5Tget_size(type.get()));
    require(H5Tget_class(type.get()) == H5T_STRING && H5Tis_variable_str(type.get()) == 0 &&
                H5Sget_simple_extent_npoints(space.get()) == 1 && length <= longest_text_attribute,
            ErrorKind::input,
            "{}: attribute '{}' is not one short text",
            place.string(),
            name);
    std::string value(static_cast<std::size_t>(length), '\0');
    const Type same = text_type(value.size(), place);
    check(H5Aread(attribute.get(), same.get(), value.data()), "H5Aread", place);
    value.resize(std::min(value.find('\0'), value.size()));
    return value;
}

}  // namespace reelyard::store::h5
