#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace reelyard::store {

class ByteFile;

/// One tensor of a safetensors file.
struct SafetensorsEntry {
    std::string name;
    std::string dtype;  ///< as the format spells it: "F32", "F16", "BF16", "I64" ...
    std::vector<std::int64_t> shape;
    std::int64_t offset = 0;  ///< of its first byte in the file
    std::int64_t bytes = 0;
};

/// A safetensors file, open for reading. Its header is checked as a whole before any of it is used:
/// sizes against the file, offsets for bounds, overlap and gaps, byte counts against shape and
/// dtype, names for duplicates.
class SafetensorsFile {
public:
    /// \throws Error (input) naming file and tensor when the file is truncated or its header is
    /// wrong; Error (storage) when reading fails
    explicit SafetensorsFile(const std::filesystem::path& path);
    SafetensorsFile(SafetensorsFile&& other) noexcept;
    SafetensorsFile& operator=(SafetensorsFile&& other) noexcept;
    SafetensorsFile(const SafetensorsFile&) = delete;
    SafetensorsFile& operator=(const SafetensorsFile&) = delete;
    ~SafetensorsFile();

    [[nodiscard]] const std::filesystem::path& path() const;
    /// In the order of their bytes in the file, which they fill without gaps from data_offset() on.
    [[nodiscard]] const std::vector<SafetensorsEntry>& entries() const { return entries_; }
    /// The texts that the writer of the file attached.
    [[nodiscard]] const std::map<std::string, std::string>& metadata() const { return metadata_; }
    /// Where the header ends.
    [[nodiscard]] std::int64_t data_offset() const { return data_offset_; }
    [[nodiscard]] std::int64_t file_bytes() const { return file_bytes_; }

    /// Fills `into` from `offset` on. \throws Error (storage)
    void read(std::int64_t offset, std::span<std::byte> into) const;

private:
    std::unique_ptr<ByteFile> file_;
    std::vector<SafetensorsEntry> entries_;
    std::map<std::string, std::string> metadata_;
    std::int64_t data_offset_ = 0;
    std::int64_t file_bytes_ = 0;
};

/// Bytes of one element of a safetensors dtype; 0 for a name that the format does not know.
[[nodiscard]] std::int64_t safetensors_element_size(const std::string& dtype);

}  // namespace reelyard::store
