#include "reelyard/media/contact_sheet.hpp"

#include <algorithm>
#include <utility>

#include "reelyard/base/atomic_file.hpp"
#include "reelyard/base/error.hpp"
#include "reelyard/base/log.hpp"
#include "reelyard/media/video_reader.hpp"

#include "canvas.hpp"
#include "font.hpp"
#include "png_image.hpp"

namespace reelyard::media {
namespace {

// All in pixels.
constexpr std::int64_t frames_per_row = 8;
constexpr std::int64_t largest_width = 208;
constexpr std::int64_t largest_height = 160;
constexpr std::int64_t label_width = 360;
constexpr std::int64_t least_row_height = 112;
constexpr std::int64_t failure_height = 72;
constexpr std::int64_t least_frames_width = 480;  // for the reasons of failures
constexpr std::int64_t margin = 14;
constexpr std::int64_t gap = 4;
constexpr std::int64_t id_size = 16;
constexpr std::int64_t text_size = 13;
constexpr std::int64_t note_size = 11;

constexpr Colour paper{255, 255, 255};
constexpr Colour line_colour{222, 222, 226};
constexpr Colour id_colour{20, 22, 30};
constexpr Colour text_colour{70, 74, 86};
constexpr Colour note_colour{130, 134, 146};
constexpr Colour failure_colour{178, 34, 34};
constexpr Colour failure_paper{252, 243, 243};

/// A row ready to be painted.
struct PreparedRow {
    std::string id;
    std::string text;
    std::string note;
    std::vector<Image> frames = {};
    std::string failure = {};

    [[nodiscard]] std::int64_t height() const {
        return frames.empty() ? failure_height : std::max(least_row_height, frames.front().height);
    }
    [[nodiscard]] std::int64_t frames_width() const {
        const auto count = static_cast<std::int64_t>(frames.size());
        return frames.empty() ? 0 : count * (frames.front().width + gap) - gap;
    }
};

/// Enlarged by a whole factor or reduced, so that it fits the largest size.
Image fit(const ImageView& picture) {
    const std::int64_t factor =
        std::min(largest_width / picture.width, largest_height / picture.height);
    if (factor >= 1) {
        return resize(picture, picture.width * factor, picture.height * factor);
    }
    const double scale =
        std::min(static_cast<double>(largest_width) / static_cast<double>(picture.width),
                 static_cast<double>(largest_height) / static_cast<double>(picture.height));
    const auto scaled = [&](std::int64_t size) {
        return std::max<std::int64_t>(1,
                                      static_cast<std::int64_t>(static_cast<double>(size) * scale));
    };
    return resize(picture, scaled(picture.width), scaled(picture.height));
}

std::int64_t count_frames(const std::filesystem::path& path) {
    VideoReader reader(path);
    std::int64_t count = reader.info().frames;
    while (reader.info().frames == 0 && reader.next()) {
        ++count;
    }
    return count;
}

/// Evenly spaced frames, the first and the last among them.
std::vector<Image> pick_frames(const std::filesystem::path& path) {
    const std::int64_t count = count_frames(path);
    const std::int64_t wanted = std::min(frames_per_row, count);
    VideoReader reader(path);
    std::vector<Image> frames;
    for (std::int64_t i = 0; i < count; ++i) {
        const auto pixels = reader.next();
        if (!pixels) {
            break;
        }
        const auto picked = static_cast<std::int64_t>(frames.size());
        const std::int64_t next = wanted > 1 ? picked * (count - 1) / (wanted - 1) : 0;
        if (i == next && picked < wanted) {
            frames.push_back(fit({reader.info().height, reader.info().width, *pixels}));
        }
    }
    require(!frames.empty(), ErrorKind::input, "{}: holds no frames", path.string());
    return frames;
}

PreparedRow prepare(const ContactRow& row) {
    PreparedRow prepared{.id = row.id, .text = row.text, .note = row.note};
    if (!row.video) {
        prepared.failure = std::exchange(prepared.note, "");
        return prepared;
    }
    try {
        prepared.frames = pick_frames(*row.video);
    } catch (const Error& error) {
        prepared.failure = error.message();
    }
    return prepared;
}

/// Where text goes.
struct Box {
    Rectangle area;
    std::int64_t size = 0;
    Colour colour = {};
};

/// Draws as many lines as fit. \returns the y below the last
std::int64_t draw_text(Canvas& canvas, const Font& font, std::string_view text, const Box& box) {
    const std::int64_t step = Font::line_height(box.size);
    const auto room = static_cast<std::size_t>(std::max<std::int64_t>(0, box.area.height / step));
    std::int64_t y = box.area.y;
    for (const auto& line : font.wrap(text, box.size, box.area.width, room)) {
        font.draw(canvas, line, {box.area.x, y, box.size, box.colour});
        y += step;
    }
    return y;
}

void draw_label(Canvas& canvas, const Font& font, const PreparedRow& row, Rectangle area) {
    const std::int64_t note_height = row.note.empty() ? 0 : Font::line_height(note_size) + gap;
    const std::int64_t bottom = area.y + area.height - note_height;
    const auto rest = [&](std::int64_t from) {
        return Rectangle{area.x, from, area.width, bottom - from};
    };
    const Rectangle first_line{area.x, area.y, area.width, Font::line_height(id_size)};
    std::int64_t y = draw_text(canvas, font, row.id, {first_line, id_size, id_colour}) + gap;
    y = draw_text(canvas, font, row.text, {rest(y), text_size, text_colour}) + gap;
    draw_text(canvas,
              font,
              row.note,
              {{area.x, y, area.width, Font::line_height(note_size)}, note_size, note_colour});
}

void draw_frames(Canvas& canvas, const Font* font, const PreparedRow& row, const Rectangle& area) {
    std::int64_t x = area.x;
    for (const Image& frame : row.frames) {
        canvas.draw({frame.height, frame.width, frame.pixels}, x, area.y);
        x += frame.width + gap;
    }
    if (row.frames.empty()) {
        canvas.fill(area, failure_paper);
        const Rectangle inner{
            area.x + margin, area.y + margin, area.width - 2 * margin, area.height - 2 * margin};
        if (font != nullptr) {
            draw_text(canvas, *font, row.failure, {inner, text_size, failure_colour});
        }
    }
}

/// Sizes that all rows share.
struct SheetSize {
    std::int64_t label = 0;  ///< width of the labels with their margin
    std::int64_t frames = least_frames_width;
    std::int64_t height = margin;

    [[nodiscard]] std::int64_t width() const { return margin + label + frames + margin; }
};

SheetSize measure(const std::vector<PreparedRow>& rows, bool has_font, std::size_t left_out) {
    SheetSize size{.label = has_font ? label_width + margin : 0};
    for (const PreparedRow& row : rows) {
        size.frames = std::max(size.frames, row.frames_width());
        size.height += row.height() + margin;
    }
    if (left_out > 0) {
        size.height += Font::line_height(text_size) + margin;
    }
    return size;
}

Canvas paint(const std::vector<PreparedRow>& rows, const Font* font, std::size_t left_out) {
    const SheetSize size = measure(rows, font != nullptr, left_out);
    Canvas canvas(size.width(), size.height, paper);
    std::int64_t y = margin;
    for (const PreparedRow& row : rows) {
        if (y > margin) {
            canvas.fill({margin, y - margin / 2, size.width() - 2 * margin, 1}, line_colour);
        }
        if (font != nullptr) {
            draw_label(canvas, *font, row, {margin, y, label_width, row.height()});
        }
        draw_frames(canvas, font, row, {margin + size.label, y, size.frames, row.height()});
        y += row.height() + margin;
    }
    if (left_out > 0 && font != nullptr) {
        const Rectangle line{margin, y, size.width() - 2 * margin, Font::line_height(text_size)};
        draw_text(
            canvas, *font, fmt::format("and {} more", left_out), {line, text_size, note_colour});
    }
    return canvas;
}

}  // namespace

void write_contact_sheet(const std::filesystem::path& path,
                         const std::vector<ContactRow>& rows,
                         FileSystem& files) {
    const auto font = Font::find();
    if (!font) {
        log::warning(
            "no font was found, so {} has no text; install DejaVu Sans or name a font "
            "file in REELYARD_FONT",
            path.string());
    }
    const std::size_t shown = std::min(rows.size(), max_contact_rows);
    std::vector<PreparedRow> prepared;
    for (std::size_t i = 0; i < shown; ++i) {
        prepared.push_back(prepare(rows[i]));
    }
    const Canvas canvas = paint(prepared, font ? &*font : nullptr, rows.size() - shown);
    const auto png = encode_png(canvas.view(), path.string());
    write_file_atomically(path, {reinterpret_cast<const char*>(png.data()), png.size()}, files);
}

}  // namespace reelyard::media
