#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>

#include <hdf5.h>

/// HDF5 as owned ids whose calls throw.
namespace reelyard::store::h5 {

/// Owns an id and closes it with `close`.
template <herr_t (*close)(hid_t)>
class Id {
public:
    explicit Id(hid_t id) : id_(id) {}
    Id(Id&& other) noexcept : id_(std::exchange(other.id_, H5I_INVALID_HID)) {}
    Id& operator=(Id&& other) noexcept {
        std::swap(id_, other.id_);
        return *this;
    }
    Id(const Id&) = delete;
    Id& operator=(const Id&) = delete;
    ~Id() {
        if (id_ >= 0) {
            close(id_);
        }
    }
    [[nodiscard]] hid_t get() const { return id_; }
    /// Closes now, so that a failure to write what was buffered can be seen. \returns what HDF5
    /// returned
    [[nodiscard]] herr_t close_now() { return close(std::exchange(id_, H5I_INVALID_HID)); }
    /// Leaves it open for good.
    void abandon() { id_ = H5I_INVALID_HID; }

private:
    hid_t id_;
};

using File = Id<H5Fclose>;
using Group = Id<H5Gclose>;
using Dataset = Id<H5Dclose>;
using Dataspace = Id<H5Sclose>;
using Type = Id<H5Tclose>;
using Attribute = Id<H5Aclose>;
using Properties = Id<H5Pclose>;

/// Turns off that HDF5 prints its errors itself; for this thread, for good.
void silence();

/// Throws an Error with HDF5's own error stack when `result`, an id or a status, is negative.
/// \param call the name of the HDF5 call
/// \param place the file, for the message
/// \returns the result
template <typename Result>
Result check(Result result, const char* call, const std::filesystem::path& place);

/// Throws the Error that check() would.
[[noreturn]] void fail_with_stack(const char* call, const std::filesystem::path& place);

/// Properties with which files are opened or made without locking them: many file systems of
/// clusters refuse locks, and a store does not change once it has its name.
[[nodiscard]] Properties access_without_locks(const std::filesystem::path& place);

/// A one-dimensional uint8 dataset: where it lies in the file, and how long it is.
struct ByteRange {
    std::int64_t file_offset = 0;
    std::int64_t bytes = 0;
};

/// \throws Error (input) unless `path` names a contiguous one-dimensional uint8 dataset that lies
/// wholly in the file
[[nodiscard]] ByteRange byte_range(hid_t file,
                                   const std::string& path,
                                   const std::filesystem::path& place);

/// The content of such a dataset. \throws Error (input) as byte_range(), and when it is longer than
/// `limit`
[[nodiscard]] std::string read_bytes(hid_t file,
                                     const std::string& path,
                                     std::int64_t limit,
                                     const std::filesystem::path& place);

/// Makes such a dataset, and the groups above it, without writing to it. \returns where it lies
ByteRange make_bytes(hid_t file,
                     const std::string& path,
                     std::int64_t bytes,
                     const std::filesystem::path& place);

void write_attribute(hid_t object,
                     const char* name,
                     std::int64_t value,
                     const std::filesystem::path& place);
void write_attribute(hid_t object,
                     const char* name,
                     const std::string& value,
                     const std::filesystem::path& place);

/// \throws Error (input) when there is no such attribute or it is not an integer
[[nodiscard]] std::int64_t read_integer_attribute(hid_t object,
                                                  const char* name,
                                                  const std::filesystem::path& place);
/// \throws Error (input) when there is no such attribute or it is not a text of fixed length
[[nodiscard]] std::string read_text_attribute(hid_t object,
                                              const char* name,
                                              const std::filesystem::path& place);

template <typename Result>
Result check(Result result, const char* call, const std::filesystem::path& place) {
    if (result < 0) {
        fail_with_stack(call, place);
    }
    return result;
}

}  // namespace reelyard::store::h5
