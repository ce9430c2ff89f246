#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace reelyard {

/// XXH3 with 64 bits over data that comes in pieces.
class Checksum {
public:
    Checksum();
    ~Checksum();
    Checksum(Checksum&& other) noexcept;
    Checksum& operator=(Checksum&& other) noexcept;
    Checksum(const Checksum&) = delete;
    Checksum& operator=(const Checksum&) = delete;

    void update(std::span<const std::byte> data);
    [[nodiscard]] std::uint64_t digest() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// XXH3 with 64 bits of `data`.
[[nodiscard]] std::uint64_t checksum(std::span<const std::byte> data);

/// XXH3 with 64 bits of a whole file, as 16 hexadecimal digits. \throws Error (storage)
[[nodiscard]] std::string file_checksum(const std::filesystem::path& path);

/// 16 lower-case hexadecimal digits.
[[nodiscard]] std::string to_hex(std::uint64_t value);

/// XXH3 with 128 bits of `text`, as 32 hexadecimal digits: for names made from content.
[[nodiscard]] std::string content_hash(std::string_view text);

}  // namespace reelyard
