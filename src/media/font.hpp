#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "canvas.hpp"

namespace reelyard::media {

/// Draws text. A letter that the first font lacks is taken from the next one; scripts that need
/// shaping (joined or reordered letters) come out letter by letter.
class Font {
public:
    /// The font files that REELYARD_FONT names (separated by colons), or else the usual ones of the
    /// machine; nothing when there is none.
    [[nodiscard]] static std::optional<Font> find();

    Font(const Font&) = delete;
    Font& operator=(const Font&) = delete;
    Font(Font&& other) noexcept;
    Font& operator=(Font&& other) noexcept;
    ~Font();

    /// From one line to the next.
    [[nodiscard]] static std::int64_t line_height(std::int64_t size) { return size * 4 / 3; }

    /// Width of a line in pixels. \param size height of the font in pixels
    [[nodiscard]] std::int64_t width(std::u32string_view line, std::int64_t size) const;

    /// Breaks a text at spaces, or inside words that are too long, into lines of at most `width`
    /// pixels; what is beyond `max_lines` is cut off with an ellipsis.
    [[nodiscard]] std::vector<std::u32string> wrap(std::string_view text,
                                                   std::int64_t size,
                                                   std::int64_t width,
                                                   std::size_t max_lines) const;

    struct Place {
        std::int64_t x = 0;
        std::int64_t y = 0;  ///< top of the line
        std::int64_t size = 0;
        Colour colour = {};
    };
    void draw(Canvas& canvas, std::u32string_view line, const Place& place) const;

private:
    struct Faces;
    explicit Font(std::unique_ptr<Faces> faces);
    void end_with_ellipsis(std::vector<std::u32string>& lines,
                           std::int64_t size,
                           std::int64_t width) const;

    std::unique_ptr<Faces> faces_;
};

/// Code points of a UTF-8 text; what is no UTF-8 becomes U+FFFD.
[[nodiscard]] std::u32string to_code_points(std::string_view text);

}  // namespace reelyard::media
