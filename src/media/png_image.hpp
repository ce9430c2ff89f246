#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace reelyard::media {

/// A picture in memory: uint8 [H, W, 3], RGB.
struct Image {
    std::int64_t height = 0;
    std::int64_t width = 0;
    std::vector<std::uint8_t> pixels;
};

/// A picture elsewhere.
struct ImageView {
    std::int64_t height = 0;
    std::int64_t width = 0;
    std::span<const std::uint8_t> pixels;
};

/// \param place the file in error messages
[[nodiscard]] std::vector<std::byte> encode_png(const ImageView& image, const std::string& place);

/// \throws Error (input) naming the file
[[nodiscard]] Image read_png(const std::filesystem::path& path);

/// \throws Error (resources) when there is no PNG encoder
void check_png_encoder();

}  // namespace reelyard::media
