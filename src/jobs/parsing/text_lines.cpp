#include "text_lines.hpp"

#include <algorithm>
#include <optional>

#include "reelyard/base/error.hpp"
#include "reelyard/base/file_system.hpp"

namespace reelyard::jobs {
namespace {

struct LeadByte {
    std::size_t length = 0;
    // Bounds of the second byte, which exclude overlong forms, surrogates and what is above
    // U+10FFFF (Unicode Standard, table 3-7).
    unsigned char second_low = 0x80;
    unsigned char second_high = 0xbf;
};

LeadByte lead_byte(unsigned char byte) {
    if (byte < 0x80) {
        return {.length = 1};
    }
    if (byte >= 0xc2 && byte <= 0xdf) {
        return {.length = 2};
    }
    if (byte >= 0xe0 && byte <= 0xef) {
        return {.length = 3,
                .second_low = static_cast<unsigned char>(byte == 0xe0 ? 0xa0 : 0x80),
                .second_high = static_cast<unsigned char>(byte == 0xed ? 0x9f : 0xbf)};
    }
    if (byte >= 0xf0 && byte <= 0xf4) {
        return {.length = 4,
                .second_low = static_cast<unsigned char>(byte == 0xf0 ? 0x90 : 0x80),
                .second_high = static_cast<unsigned char>(byte == 0xf4 ? 0x8f : 0xbf)};
    }
    return {};
}

std::optional<std::size_t> first_bad_byte(std::string_view text) {
    for (std::size_t i = 0; i < text.size();) {
        const auto length = utf8_length(text.substr(i));
        if (length == 0) {
            return i;
        }
        i += length;
    }
    return std::nullopt;
}

}  // namespace

std::size_t utf8_length(std::string_view text) {
    if (text.empty()) {
        return 0;
    }
    const auto lead = lead_byte(static_cast<unsigned char>(text[0]));
    if (lead.length == 0 || lead.length > text.size()) {
        return 0;
    }
    for (std::size_t i = 1; i < lead.length; ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        const auto low = i == 1 ? lead.second_low : 0x80;
        const auto high = i == 1 ? lead.second_high : 0xbf;
        if (byte < low || byte > high) {
            return 0;
        }
    }
    return lead.length;
}

std::string read_utf8_file(const std::filesystem::path& path) {
    auto text = read_text_file(path);
    require(!text.starts_with("\xff\xfe") && !text.starts_with("\xfe\xff"),
            ErrorKind::input,
            "{}: is UTF-16 text (expected UTF-8); convert it, for example with iconv",
            path.string());
    constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
    if (text.starts_with(byte_order_mark)) {
        text.erase(0, byte_order_mark.size());
    }
    return text;
}

std::vector<std::string> split_lines(std::string_view text) {
    std::vector<std::string> lines;
    while (!text.empty()) {
        const auto end = text.find('\n');
        auto line = text.substr(0, end);
        if (line.ends_with('\r')) {
            line.remove_suffix(1);
        }
        lines.emplace_back(line);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return lines;
}

std::vector<Problem> encoding_problems(const std::filesystem::path& file,
                                       const std::vector<std::string>& lines) {
    std::vector<Problem> problems;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (const auto bad = first_bad_byte(lines[i])) {
            problems.push_back(
                {.place = {.file = file.string(), .line = static_cast<std::int64_t>(i + 1)},
                 .text = fmt::format("byte {} of the line is 0x{:02x} (expected UTF-8 text); "
                                     "convert the file, for example with iconv",
                                     *bad + 1,
                                     static_cast<unsigned char>(lines[i][*bad]))});
        }
    }
    return problems;
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n\v\f";
    const auto begin = text.find_first_not_of(blanks);
    if (begin == std::string_view::npos) {
        return {};
    }
    return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

std::string lower_case(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](char letter) {
        return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
    });
    return text;
}

}  // namespace reelyard::jobs
