#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

namespace reelyard::store {

/// A file whose bytes are read and written at given places.
class ByteFile {
public:
    enum class Access { read, write, create };

    /// \throws Error (input when a file to read is not there, storage otherwise)
    ByteFile(std::filesystem::path path, Access access);
    ByteFile(const ByteFile&) = delete;
    ByteFile& operator=(const ByteFile&) = delete;
    ~ByteFile();

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    [[nodiscard]] std::int64_t size() const;

    /// Fills `into`. \throws Error (storage), also when the file ends before
    void read(std::int64_t offset, std::span<std::byte> into) const;
    /// \throws Error (resources when there is no room, storage otherwise)
    void write(std::int64_t offset, std::span<const std::byte> data) const;
    /// Gives the file this size, and room on the disk to its first `allocated` bytes.
    /// \throws Error (resources when there is no room, storage otherwise)
    void reserve(std::int64_t size, std::int64_t allocated) const;
    /// Returns when what was written is on the disk. \throws Error (storage)
    void sync() const;

private:
    std::filesystem::path path_;
    int fd_;
};

}  // namespace reelyard::store
