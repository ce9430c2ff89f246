#include "reelyard/store/store_file.hpp"

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <span>
#include <system_error>
#include <utility>

#include <nlohmann/json.hpp>

#include "reelyard/base/bytes.hpp"
#include "reelyard/base/checksum.hpp"
#include "reelyard/base/error.hpp"
#include "reelyard/mpi/agreement.hpp"

#include "file/byte_file.hpp"
#include "file/h5.hpp"
#include "file/store_names.hpp"

namespace reelyard::store {
namespace {

using nlohmann::json;

constexpr std::int64_t largest_index = 256 * mebibyte;
constexpr std::int64_t checksum_digits = 16;
constexpr std::int64_t largest_file = 64 * mebibyte;

std::uint64_t checksum_of(const std::string& text) {
    return checksum(std::as_bytes(std::span(text.data(), text.size())));
}

/// HDF5 takes a file that may not be read, or that lies on a broken disk, for one of another kind.
void check_readable(const std::filesystem::path& path) {
    const ByteFile file(path, ByteFile::Access::read);
    std::byte first{};
    if (file.size() > 0) {
        file.read(0, {&first, 1});
    }
}

h5::File open_file(const std::filesystem::path& path) {
    h5::silence();
    std::error_code code;
    require(std::filesystem::is_regular_file(path, code),
            ErrorKind::input,
            "{}: cannot be opened: {} (expected a weight store made by 'reelyard import')",
            path.string(),
            code ? code.message() : "not a regular file");
    check_readable(path);
    require(H5Fis_hdf5(path.c_str()) > 0,
            ErrorKind::input,
            "{}: is not an HDF5 file (expected a weight store made by 'reelyard import')",
            path.string());
    const h5::Properties access = h5::access_without_locks(path);
    const hid_t id = H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.get());
    if (id >= 0) {
        return h5::File(id);
    }
    try {
        h5::fail_with_stack("H5Fopen", path);
    } catch (const Error& error) {
        if (error.message().find(std::strerror(EIO)) != std::string::npos) {
            throw;  // the disk is broken, not the file
        }
        // A file that is shorter than its own header says is the user's to replace.
        fail(ErrorKind::input, "{}; the weight store is truncated or broken", error.message());
    }
}

void check_format(hid_t file, const std::filesystem::path& path) {
    const std::string format = h5::read_text_attribute(file, names::format_attribute, path);
    require(format == names::format,
            ErrorKind::input,
            "{}: is of the format '{}' (expected '{}')",
            path.string(),
            format,
            names::format);
    const std::int64_t version = h5::read_integer_attribute(file, names::version_attribute, path);
    require(version >= 1 && version <= schema_version,
            ErrorKind::input,
            "{}: has schema version {} (expected 1 to {}); use a newer reelyard, or import the "
            "checkpoint again",
            path.string(),
            version,
            schema_version);
}

std::string read_index(hid_t file, const std::filesystem::path& path) {
    std::string text = h5::read_bytes(file, names::index, largest_index, path);
    const std::string expected = h5::read_bytes(file, names::index_checksum, checksum_digits, path);
    const std::string found = to_hex(checksum_of(text));
    require(found == expected,
            ErrorKind::input,
            "{}: the index has checksum {} (expected {}); the weight store is corrupted",
            path.string(),
            found,
            expected);
    return text;
}

std::string read_embedded(hid_t file, const StoredFile& entry, const std::filesystem::path& path) {
    std::string content = h5::read_bytes(file, names::file(entry.path), largest_file, path);
    require(static_cast<std::int64_t>(content.size()) == entry.bytes &&
                checksum_of(content) == entry.checksum,
            ErrorKind::input,
            "{}: the embedded file '{}' does not match its checksum; the weight store is corrupted",
            path.string(),
            entry.path);
    return content;
}

std::int64_t read_slab_offset(hid_t file,
                              const StoredComponent& component,
                              const std::filesystem::path& path) {
    const h5::ByteRange range = h5::byte_range(file, names::slab(component.name), path);
    require(range.bytes == component.slab_bytes,
            ErrorKind::input,
            "{}: the slab of component '{}' has {} bytes (expected {})",
            path.string(),
            component.name,
            range.bytes,
            component.slab_bytes);
    return range.file_offset;
}

/// Everything but the weights as one text: a line of JSON with offsets and lengths, the index, the
/// embedded files.
std::string read_all(const std::filesystem::path& path) {
    const h5::File file = open_file(path);
    check_format(file.get(), path);
    const std::string text = read_index(file.get(), path);
    const StoreIndex index = store_index_from_json(text, path.string());

    json head{{"index", text.size()}, {"slabs", json::object()}};
    for (const StoredComponent& component : index.components) {
        head["slabs"][component.name] = read_slab_offset(file.get(), component, path);
    }
    std::string all = head.dump() + "\n" + text;
    for (const StoredFile& entry : index.files) {
        all += read_embedded(file.get(), entry, path);
    }
    return all;
}

}  // namespace

StoreFile StoreFile::open(const std::filesystem::path& path, const mpi::Communicator& world) {
    const std::string all = mpi::on_root(world, [&] { return read_all(path); });

    StoreFile file;
    file.path_ = path;
    std::size_t at = all.find('\n');
    const json head = json::parse(all.substr(0, at));
    ++at;
    const std::string text = all.substr(at, head["index"].get<std::size_t>());
    at += text.size();
    file.index_ = store_index_from_json(text, path.string());
    file.fingerprint_ = to_hex(checksum_of(text));
    file.slab_offsets_ = head["slabs"].get<std::map<std::string, std::int64_t>>();
    for (const StoredFile& entry : file.index_.files) {
        const auto bytes = static_cast<std::size_t>(entry.bytes);
        file.config_.files[entry.path] = all.substr(at, bytes);
        at += bytes;
    }
    return file;
}

std::int64_t StoreFile::slab_offset(const std::string& component) const {
    const auto found = slab_offsets_.find(component);
    require(found != slab_offsets_.end(),
            ErrorKind::input,
            "{}: has no component '{}'",
            path_.string(),
            component);
    return found->second;
}

}  // namespace reelyard::store
