#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace reelyard::fuzz {

/// Random choices that are the same on every machine for the same seed.
class Random {
public:
    Random(std::uint64_t seed, std::uint64_t input) : engine_(seed * 0x9e3779b97f4a7c15U + input) {}

    /// 0 .. count - 1; 0 when count is 0.
    std::size_t below(std::size_t count) {
        return count == 0 ? 0 : static_cast<std::size_t>(engine_() % count);
    }
    /// True once in `count` times.
    bool once_in(std::size_t count) { return below(count) == 0; }
    std::uint64_t bits() { return engine_(); }
    template <typename List>
    const auto& one_of(const List& list) {
        return list[below(list.size())];
    }

private:
    std::mt19937_64 engine_;
};

/// A JSON text as tokens: strings, numbers, words, punctuation.
using Tokens = std::vector<std::string>;

[[nodiscard]] Tokens to_tokens(const std::string& json);

/// Changes a few tokens: numbers that are huge, negative or fractional, values of other types, keys
/// that stand twice, deep nesting, invalid UTF-8, parts left out, doubled, swapped, or taken from
/// `other`. \returns the text
[[nodiscard]] std::string mutate_tokens(Tokens tokens, const Tokens& other, Random& random);

/// Flips, inserts, removes and doubles bytes, or cuts the end off.
[[nodiscard]] std::string mutate_bytes(std::string bytes, Random& random);

}  // namespace reelyard::fuzz
