#include "cleaning/html_entities.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include "unicode.hpp"

namespace reelyard::text {
namespace {

#include "cleaning/html_entities.inc"

constexpr std::size_t longest_name = 32;           // without its semicolon
constexpr std::size_t longest_complete_name = 24;  // what ftfy looks at
constexpr char32_t replacement = 0xFFFD;

struct Entity {
    std::u32string value;
    bool without_semicolon;
};

/// Names without "&" and ";".
using EntityMap = std::map<std::u32string, Entity, std::less<>>;

EntityMap read_list(std::string_view list) {
    EntityMap entities;
    while (!list.empty()) {
        const std::size_t name_end = list.find(' ');
        const std::size_t value_end = list.find(' ', name_end + 1);
        std::string_view name = list.substr(0, name_end);
        const bool star = name.front() == '*';
        name.remove_prefix(star ? 1 : 0);
        entities.emplace(
            to_utf32(name),
            Entity{to_utf32(list.substr(name_end + 1, value_end - name_end - 1)), star});
        list.remove_prefix(value_end + 1);
    }
    return entities;
}

const EntityMap& html_entities() {
    static const EntityMap entities = read_list(entity_list);
    return entities;
}

const EntityMap& shouted_entities() {
    static const EntityMap entities = read_list(shouted_entity_list);
    return entities;
}

const Entity* find(const EntityMap& entities, std::u32string_view name) {
    const auto found = entities.find(name);
    return found == entities.end() ? nullptr : &found->second;
}

bool is_digit(char32_t c) {
    return c >= U'0' && c <= U'9';
}

bool is_hex_digit(char32_t c) {
    return is_digit(c) || (c >= U'a' && c <= U'f') || (c >= U'A' && c <= U'F');
}

bool is_ascii_alphanumeric(char32_t c) {
    return is_digit(c) || (c >= U'a' && c <= U'z') || (c >= U'A' && c <= U'Z');
}

bool may_be_in_name(char32_t c) {
    return std::u32string_view(U"\t\n\f <&#;").find(c) == std::u32string_view::npos;
}

/// Number of characters from the start of `text` that fulfil `test`, at most `most`.
template <typename Test>
std::size_t count_while(std::u32string_view text, Test test, std::size_t most) {
    const std::size_t end = std::min(text.size(), most);
    std::size_t count = 0;
    while (count < end && test(text[count])) {
        ++count;
    }
    return count;
}

/// Code points that HTML maps to nothing: controls and non-characters.
bool is_invalid_reference(char32_t point) {
    return (point >= 0x1 && point <= 0x8) || point == 0xB || (point >= 0xE && point <= 0x1F) ||
           (point >= 0x7F && point <= 0x9F) || (point >= 0xFDD0 && point <= 0xFDEF) ||
           (point & 0xFFFEU) == 0xFFFEU;
}

/// What a numeric reference stands for.
std::u32string number_value(std::u32string_view digits, unsigned base) {
    // HTML reads 0x80 to 0x9F as Windows-1252; those that it leaves open stay.
    static constexpr char16_t windows_1252[] = {
        0x20AC, 0x81,   0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
        0x2039, 0x0152, 0x8D,   0x017D, 0x8F,   0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
        0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,   0x017E, 0x0178};
    constexpr char32_t past_the_last = 0x110000;
    char32_t point = 0;
    for (const char32_t digit : digits) {
        const char32_t value = is_digit(digit) ? digit - U'0' : (digit | 0x20U) - U'a' + 10;
        point = std::min<char32_t>(past_the_last, point * base + value);
    }
    if (point >= 0x80 && point <= 0x9F) {
        return {windows_1252[point - 0x80]};
    }
    if (point == 0 || (point >= 0xD800 && point <= 0xDFFF) || point >= past_the_last) {
        return {replacement};
    }
    return is_invalid_reference(point) ? std::u32string() : std::u32string{point};
}

/// A reference at the start of a text: its length there, and what replaces it.
struct Reference {
    std::size_t length;
    std::u32string value;
};

/// \param text starts with "&#"
std::optional<Reference> numeric_reference(std::u32string_view text) {
    const bool hex = text.size() > 2 && (text[2] | 0x20U) == U'x';
    const std::size_t start = hex ? 3 : 2;
    const std::u32string_view rest = text.substr(std::min(start, text.size()));
    const std::size_t digits = hex ? count_while(rest, is_hex_digit, rest.size())
                                   : count_while(rest, is_digit, rest.size());
    if (digits == 0) {
        return std::nullopt;
    }
    const bool closed = digits < rest.size() && rest[digits] == U';';
    return Reference{start + digits + (closed ? 1 : 0),
                     number_value(rest.substr(0, digits), hex ? 16 : 10)};
}

/// \param text starts with "&"
std::optional<Reference> named_reference(std::u32string_view text) {
    const std::u32string_view rest = text.substr(1);
    const std::size_t length = count_while(rest, may_be_in_name, longest_name);
    const bool closed = length > 0 && length < rest.size() && rest[length] == U';';
    if (const Entity* whole = find(html_entities(), rest.substr(0, length));
        whole != nullptr && (closed || whole->without_semicolon)) {
        return Reference{1 + length + (closed ? 1 : 0), whole->value};
    }
    // Then the longest beginning that may go without its semicolon.
    for (std::size_t part = closed ? length : length - std::min<std::size_t>(length, 1); part > 1;
         --part) {
        const Entity* entity = find(html_entities(), rest.substr(0, part));
        if (entity != nullptr && entity->without_semicolon) {
            return Reference{1 + part, entity->value};
        }
    }
    return std::nullopt;
}

std::optional<Reference> html_reference(std::u32string_view text) {
    if (text.size() > 1 && text[1] == U'#') {
        return numeric_reference(text);
    }
    return named_reference(text);
}

std::optional<Reference> complete_reference(std::u32string_view text) {
    const bool numeric = text.size() > 1 && text[1] == U'#';
    const std::u32string_view rest = text.substr(numeric ? 2 : 1);
    const std::size_t length = count_while(rest, is_ascii_alphanumeric, longest_complete_name);
    if (length == 0 || length == rest.size() || rest[length] != U';') {
        return std::nullopt;
    }
    if (numeric) {
        std::optional<Reference> reference = numeric_reference(text);
        const bool whole = reference && reference->length == length + 3;
        return whole && reference->value != U";" ? reference : std::nullopt;
    }
    const std::u32string_view name = rest.substr(0, length);
    const Entity* entity = find(html_entities(), name);
    if (entity == nullptr) {
        entity = find(shouted_entities(), name);
    }
    return entity == nullptr ? std::nullopt : std::optional(Reference{length + 2, entity->value});
}

template <typename Find>
std::u32string replace_references(std::u32string_view text, Find reference_at) {
    std::u32string out;
    while (!text.empty()) {
        const std::optional<Reference> reference =
            text.front() == U'&' ? reference_at(text) : std::nullopt;
        if (reference) {
            out += reference->value;
            text.remove_prefix(reference->length);
        } else {
            out.push_back(text.front());
            text.remove_prefix(1);
        }
    }
    return out;
}

}  // namespace

std::u32string unescape_html(std::u32string_view text) {
    return replace_references(text, html_reference);
}

std::u32string unescape_complete_entities(std::u32string_view text) {
    return replace_references(text, complete_reference);
}

}  // namespace reelyard::text
