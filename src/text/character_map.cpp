#include "character_map.hpp"

#include <cstring>

#include "reelyard/base/error.hpp"

#include "unicode.hpp"

namespace reelyard::text {
namespace {

/// One place of the double array: a label, the way to its children, and whether a value ends here.
struct Unit {
    std::uint32_t bits;

    [[nodiscard]] bool has_leaf() const { return ((bits >> 8U) & 1U) != 0; }
    [[nodiscard]] std::uint32_t label() const { return bits & ((1U << 31U) | 0xFFU); }
    [[nodiscard]] std::uint32_t value() const { return bits & ~(1U << 31U); }
    [[nodiscard]] std::uint32_t offset() const {
        return (bits >> 10U) << ((bits & (1U << 9U)) >> 6U);
    }
};

/// A cluster of at most this many bytes is looked up as a whole.
constexpr std::size_t longest_whole_cluster = 5;

}  // namespace

CharacterMap::CharacterMap(std::string_view blob) {
    if (blob.empty()) {
        return;
    }
    std::uint32_t trie_bytes = 0;
    require(blob.size() >= sizeof(trie_bytes),
            ErrorKind::input,
            "tokenizer: precompiled_charsmap has {} bytes (expected a size and a trie)",
            blob.size());
    std::memcpy(&trie_bytes, blob.data(), sizeof(trie_bytes));
    blob.remove_prefix(sizeof(trie_bytes));
    require(
        trie_bytes <= blob.size() && trie_bytes % sizeof(std::uint32_t) == 0 && trie_bytes > 0,
        ErrorKind::input,
        "tokenizer: precompiled_charsmap announces a trie of {} bytes (expected a multiple of 4 "
        "up to {})",
        trie_bytes,
        blob.size());
    trie_.resize(trie_bytes / sizeof(std::uint32_t));
    std::memcpy(trie_.data(), blob.data(), trie_bytes);
    replacements_ = blob.substr(trie_bytes);
}

std::optional<std::string_view> CharacterMap::find(std::string_view text) const {
    std::size_t place = Unit{trie_[0]}.offset();
    for (const char character : text) {
        const auto byte = static_cast<unsigned char>(character);
        place ^= byte;
        if (byte == 0 || place >= trie_.size() || Unit{trie_[place]}.label() != byte) {
            return std::nullopt;
        }
        const Unit unit{trie_[place]};
        place ^= unit.offset();
        if (unit.has_leaf() && place < trie_.size()) {
            const std::size_t start = Unit{trie_[place]}.value();
            require(start < replacements_.size(),
                    ErrorKind::input,
                    "tokenizer: precompiled_charsmap points to byte {} of {}",
                    start,
                    replacements_.size());
            return std::string_view(replacements_.c_str() + start);
        }
    }
    return std::nullopt;
}

std::string CharacterMap::apply(std::string_view text) const {
    if (trie_.empty()) {
        return std::string(text);
    }
    const std::u32string points = to_utf32(text);
    std::u32string_view rest = points;
    std::string out;
    while (!rest.empty()) {
        const std::size_t length = grapheme_length(rest);
        const std::u32string_view cluster = rest.substr(0, length);
        rest.remove_prefix(length);
        const std::string bytes = to_utf8(cluster);
        const auto whole = bytes.size() <= longest_whole_cluster ? find(bytes) : std::nullopt;
        if (whole) {
            out += *whole;
            continue;
        }
        for (const char32_t point : cluster) {
            const std::string character = to_utf8({&point, 1});
            out += find(character).value_or(character);
        }
    }
    return out;
}

}  // namespace reelyard::text
