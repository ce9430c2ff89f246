#include "font.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <sstream>
#include <utility>

#include <ft2build.h>
#include FT_FREETYPE_H

#include "reelyard/base/error.hpp"
#include "reelyard/base/log.hpp"

namespace reelyard::media {
namespace {

namespace fs = std::filesystem;

constexpr char32_t replacement = U'\uFFFD';
constexpr char32_t ellipsis = U'\u2026';

/// Below font_folders; the first has Latin, Greek and Cyrillic, the later ones also Chinese,
/// Japanese and Korean.
constexpr std::array font_files{
    "truetype/dejavu/DejaVuSans.ttf",
    "dejavu/DejaVuSans.ttf",
    "dejavu-sans-fonts/DejaVuSans.ttf",
    "TTF/DejaVuSans.ttf",
    "truetype/noto/NotoSans-Regular.ttf",
    "noto/NotoSans-Regular.ttf",
    "truetype/liberation/LiberationSans-Regular.ttf",
    "liberation-sans/LiberationSans-Regular.ttf",
    "truetype/freefont/FreeSans.ttf",
    "opentype/noto/NotoSansCJK-Regular.ttc",
    "google-noto-cjk/NotoSansCJK-Regular.ttc",
    "truetype/wqy/wqy-microhei.ttc",
};
constexpr std::array font_folders{"/usr/share/fonts", "/usr/local/share/fonts"};

std::vector<fs::path> candidates() {
    std::vector<fs::path> paths;
    const char* own = std::getenv("REELYARD_FONT");
    if (own != nullptr && *own != '\0') {
        std::istringstream list(own);
        for (std::string path; std::getline(list, path, ':');) {
            paths.emplace_back(path);
        }
        return paths;
    }
    for (const char* folder : font_folders) {
        for (const char* file : font_files) {
            paths.push_back(fs::path(folder) / file);
        }
    }
    return paths;
}

/// How many bytes a code point has and the bits of its first byte; 0 when none starts with it.
std::pair<std::size_t, char32_t> start_of_code_point(unsigned char byte) {
    if (byte < 0x80) {
        return {1, byte};
    }
    if ((byte & 0xE0U) == 0xC0) {
        return {2, byte & 0x1FU};
    }
    if ((byte & 0xF0U) == 0xE0) {
        return {3, byte & 0x0FU};
    }
    if ((byte & 0xF8U) == 0xF0) {
        return {4, byte & 0x07U};
    }
    return {0, replacement};
}

/// The words of a text: parts between white space.
std::vector<std::u32string> to_words(std::u32string_view text) {
    std::vector<std::u32string> words;
    bool inside = false;
    for (const char32_t c : text) {
        const bool space = c == U' ' || c == U'\n' || c == U'\t' || c == U'\r' || c == U'\u3000';
        if (space) {
            inside = false;
            continue;
        }
        if (!inside) {
            words.emplace_back();
            inside = true;
        }
        words.back().push_back(c);
    }
    return words;
}

}  // namespace

struct Font::Faces {
    Faces() {
        require(FT_Init_FreeType(&library) == 0,
                ErrorKind::resources,
                "the font library FreeType cannot be started");
    }
    Faces(const Faces&) = delete;
    Faces& operator=(const Faces&) = delete;
    ~Faces() {
        for (FT_Face face : list) {
            FT_Done_Face(face);
        }
        FT_Done_FreeType(library);
    }

    void add(const fs::path& path) {
        FT_Face face = nullptr;
        if (FT_New_Face(library, path.c_str(), 0, &face) == 0) {
            list.push_back(face);
        }
    }

    /// Loads a letter into its face's slot. \returns nothing for a letter that cannot be loaded
    [[nodiscard]] FT_GlyphSlot load(char32_t letter, std::int64_t size, FT_Int32 flags) const {
        FT_Face face = list.front();
        for (FT_Face candidate : list) {
            if (FT_Get_Char_Index(candidate, letter) != 0) {
                face = candidate;
                break;
            }
        }
        if (FT_Set_Pixel_Sizes(face, 0, static_cast<FT_UInt>(size)) != 0 ||
            FT_Load_Char(face, letter, flags | FT_LOAD_TARGET_LIGHT) != 0) {
            return nullptr;
        }
        return face->glyph;
    }

    FT_Library library = nullptr;
    std::vector<FT_Face> list;
};

Font::Font(std::unique_ptr<Faces> faces) : faces_(std::move(faces)) {}
Font::Font(Font&& other) noexcept = default;
Font& Font::operator=(Font&& other) noexcept = default;
Font::~Font() = default;

std::optional<Font> Font::find() {
    auto faces = std::make_unique<Faces>();
    for (const auto& path : candidates()) {
        faces->add(path);
    }
    if (faces->list.empty()) {
        return std::nullopt;
    }
    return Font(std::move(faces));
}

std::int64_t Font::width(std::u32string_view line, std::int64_t size) const {
    std::int64_t sum = 0;
    for (const char32_t letter : line) {
        if (const FT_GlyphSlot glyph = faces_->load(letter, size, FT_LOAD_DEFAULT)) {
            sum += glyph->advance.x >> 6;
        }
    }
    return sum;
}

std::vector<std::u32string> Font::wrap(std::string_view text,
                                       std::int64_t size,
                                       std::int64_t width,
                                       std::size_t max_lines) const {
    std::vector<std::u32string> lines;
    std::int64_t used = 0;  // of the last line, in pixels
    const auto add = [&](char32_t letter) {
        const std::int64_t advance = this->width({&letter, 1}, size);
        if (used + advance > width && !lines.back().empty()) {
            lines.emplace_back();
            used = 0;
        }
        lines.back() += letter;
        used += advance;
    };
    const std::int64_t space = this->width(U" ", size);
    for (const auto& word : to_words(to_code_points(text))) {
        if (lines.empty() || used + space + this->width(word, size) > width) {
            lines.emplace_back();
            used = 0;
        } else {
            add(U' ');
        }
        std::for_each(word.begin(), word.end(), add);
    }
    if (lines.size() > max_lines) {
        lines.resize(max_lines);
        end_with_ellipsis(lines, size, width);
    }
    return lines;
}

void Font::end_with_ellipsis(std::vector<std::u32string>& lines,
                             std::int64_t size,
                             std::int64_t width) const {
    if (lines.empty()) {
        return;
    }
    auto& last = lines.back();
    while (!last.empty() && this->width(last + ellipsis, size) > width) {
        last.pop_back();
    }
    last += ellipsis;
}

void Font::draw(Canvas& canvas, std::u32string_view line, const Place& place) const {
    const std::int64_t baseline = place.y + place.size;
    std::int64_t x = place.x;
    for (const char32_t letter : line) {
        const FT_GlyphSlot glyph = faces_->load(letter, place.size, FT_LOAD_RENDER);
        if (glyph == nullptr) {
            continue;
        }
        const FT_Bitmap& bitmap = glyph->bitmap;
        for (std::int64_t row = 0; row < bitmap.rows; ++row) {
            const unsigned char* coverage = bitmap.buffer + row * bitmap.pitch;
            for (std::int64_t column = 0; column < bitmap.width; ++column) {
                canvas.blend(x + glyph->bitmap_left + column,
                             baseline - glyph->bitmap_top + row,
                             place.colour,
                             coverage[column]);
            }
        }
        x += glyph->advance.x >> 6;
    }
}

std::u32string to_code_points(std::string_view text) {
    std::u32string result;
    for (std::size_t i = 0; i < text.size();) {
        auto [bytes, letter] = start_of_code_point(static_cast<unsigned char>(text[i]));
        std::size_t read = 1;
        for (; read < bytes && i + read < text.size(); ++read) {
            const auto byte = static_cast<unsigned char>(text[i + read]);
            if ((byte & 0xC0U) != 0x80) {
                break;
            }
            letter = letter << 6U | (byte & 0x3FU);
        }
        result += read == bytes ? letter : replacement;
        i += read;
    }
    return result;
}

}  // namespace reelyard::media
