#include "mutation.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>
#include <utility>

namespace reelyard::fuzz {
namespace {

constexpr std::size_t most_changes = 4;
constexpr std::size_t longest_run = 12;
constexpr std::size_t deepest = 100'000;
constexpr std::size_t longest_text = 20'000;

const std::array<std::string_view, 30> numbers{"0",
                                               "-0",
                                               "1",
                                               "-1",
                                               "2",
                                               "7",
                                               "63",
                                               "64",
                                               "-64",
                                               "128",
                                               "4096",
                                               "1.5",
                                               "64.0",
                                               "0.0",
                                               "1e3",
                                               "1e99",
                                               "1e400",
                                               "-1e400",
                                               "1e-400",
                                               "2147483648",
                                               "4294967296",
                                               "9223372036854775744",
                                               "9223372036854775807",
                                               "9223372036854775808",
                                               "-9223372036854775808",
                                               "18446744073709551615",
                                               "18446744073709551616",
                                               "99999999999999999999999999999999",
                                               "007",
                                               "NaN"};

const std::array<std::string_view, 18> values{"null",
                                              "true",
                                              "false",
                                              "{}",
                                              "[]",
                                              "[[]]",
                                              "[0]",
                                              "[{}]",
                                              "{\"\":{}}",
                                              "\"\"",
                                              "\"text\"",
                                              "\"..\"",
                                              "\"/\"",
                                              "\"\\u0000\"",
                                              "\"\\ud800\"",
                                              "\"\\udbff\\udfff\"",
                                              "\"0000000000000000\"",
                                              "\"-1234567\""};

const std::array<std::string_view, 8> broken_characters{
    "\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\x80", "\x01", "\""};

bool is_digit(char c) {
    return std::isdigit(static_cast<unsigned char>(c)) != 0;
}
bool is_text(const std::string& token) {
    return !token.empty() && token.front() == '"';
}
bool is_number(const std::string& token) {
    return !token.empty() && (is_digit(token.front()) || token.front() == '-');
}
bool is_value(const std::string& token) {
    return is_text(token) || is_number(token) || token == "true" || token == "false" ||
           token == "null";
}

/// Where the token that begins at `begin` ends.
std::size_t token_end(const std::string& json, std::size_t begin) {
    std::size_t end = begin + 1;
    if (json[begin] == '"') {
        while (end < json.size() && json[end] != '"') {
            end += json[end] == '\\' ? 2 : 1;
        }
        return std::min(end + 1, json.size());
    }
    const auto is_word = [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '+' || c == '.';
    };
    while (is_word(json[begin]) && end < json.size() && is_word(json[end])) {
        ++end;
    }
    return end;
}

/// A place for a change: that of a token for which `fits` holds, if there is one.
template <typename Predicate>
std::size_t find_token(const Tokens& tokens, Random& random, Predicate fits) {
    const std::size_t start = random.below(tokens.size());
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        const std::size_t place = (start + i) % tokens.size();
        if (fits(tokens[place])) {
            return place;
        }
    }
    return start;
}

/// One behind another number of the text, or next to it, or multiples of it.
std::string other_number(const Tokens& tokens, Random& random) {
    const std::string& token = tokens[find_token(tokens, random, is_number)];
    std::uint64_t number = 0;
    for (const char c : token) {
        number = is_digit(c) ? number * 10 + static_cast<std::uint64_t>(c - '0') : number;
    }
    constexpr std::array<std::uint64_t, 6> steps{0, 1, 2, 4, 64, 4096};
    number = random.once_in(4) ? number * (1 + random.below(4)) : number + random.one_of(steps);
    return std::to_string(random.once_in(3) ? number - 2 * random.one_of(steps) : number);
}

std::string nested(Random& random) {
    const std::size_t depth = random.once_in(4) ? random.below(deepest) : random.below(80);
    const bool of_lists = random.once_in(2);
    const bool is_closed = !random.once_in(4);
    std::string text;
    for (std::size_t i = 0; i < depth; ++i) {
        text += of_lists ? "[" : "{\"a\":";
    }
    text += of_lists ? "" : "1";
    return text + std::string(is_closed ? depth : 0, of_lists ? ']' : '}');
}

std::string other_value(const Tokens& tokens, Random& random) {
    switch (random.below(5)) {
        case 0:
            return std::string(random.one_of(numbers));
        case 1:
            return other_number(tokens, random);
        case 2:
            return nested(random);
        case 3:
            return '"' + std::string(random.below(longest_text), 'n') + '"';
        default:
            return std::string(random.one_of(values));
    }
}

void spoil_text(Tokens& tokens, Random& random) {
    std::string& token = tokens[find_token(tokens, random, is_text)];
    token.insert(random.below(token.size()), std::string(random.one_of(broken_characters)));
}

void replace_text(Tokens& tokens, Random& random) {
    const std::string from = tokens[find_token(tokens, random, is_text)];
    tokens[find_token(tokens, random, is_text)] = from;
}

/// Writes a key and its value a second time, with another value before or behind.
void double_key(Tokens& tokens, Random& random) {
    const std::size_t colon = find_token(tokens, random, [](const auto& t) { return t == ":"; });
    if (colon == 0 || tokens[colon] != ":") {
        return;
    }
    const Tokens pair{tokens[colon - 1], ":", other_value(tokens, random), ","};
    const auto at = tokens.begin() + static_cast<std::ptrdiff_t>(colon - 1);
    tokens.insert(at, pair.begin(), pair.end());
}

/// Breaks the text as such.
void spoil(Tokens& tokens, Random& random) {
    switch (random.below(3)) {
        case 0:
            spoil_text(tokens, random);
            break;
        case 1:
            double_key(tokens, random);
            break;
        default:
            std::swap(tokens[random.below(tokens.size())], tokens[random.below(tokens.size())]);
            break;
    }
}

/// Where the value that begins at `begin` ends: a token, or all that a bracket encloses.
std::size_t value_end(const Tokens& tokens, std::size_t begin) {
    std::size_t depth = 0;
    std::size_t end = begin;
    do {
        depth += tokens[end] == "{" || tokens[end] == "[" ? 1 : 0;
        depth -= depth > 0 && (tokens[end] == "}" || tokens[end] == "]") ? 1 : 0;
        ++end;
    } while (depth > 0 && end < tokens.size());
    return end;
}

/// Where an element of a list or of an object begins.
std::size_t find_element(const Tokens& tokens, Random& random) {
    const std::size_t before =
        find_token(tokens, random, [](const auto& t) { return t == "," || t == "[" || t == "{"; });
    return std::min(before + 1, tokens.size());
}

/// A run of tokens: mostly an element of a list or of an object with the comma behind it.
Tokens::const_iterator choose_run(const Tokens& tokens, std::size_t begin, Random& random) {
    std::size_t end = begin + random.below(longest_run);
    if (!random.once_in(8)) {
        end = value_end(tokens, begin);
        if (end + 1 < tokens.size() && tokens[end] == ":") {
            end = value_end(tokens, end + 1);
        }
        end += end < tokens.size() && tokens[end] == "," ? 1 : 0;
    }
    return tokens.begin() + static_cast<std::ptrdiff_t>(std::min(end, tokens.size()));
}

void insert_run(Tokens& tokens, const Tokens& from, Random& random) {
    const std::size_t begin = find_element(from, random);
    if (begin == from.size()) {
        return;
    }
    Tokens run(from.begin() + static_cast<std::ptrdiff_t>(begin), choose_run(from, begin, random));
    if (!run.empty() && run.back() != ",") {
        run.emplace_back(",");
    }
    const auto at = static_cast<std::ptrdiff_t>(find_element(tokens, random));
    tokens.insert(tokens.begin() + at, run.begin(), run.end());
}

void remove_run(Tokens& tokens, Random& random) {
    const std::size_t begin = find_element(tokens, random);
    if (begin < tokens.size()) {
        const auto end = choose_run(tokens, begin, random);
        tokens.erase(tokens.cbegin() + static_cast<std::ptrdiff_t>(begin), end);
    }
}

void swap_numbers(Tokens& tokens, Random& random) {
    std::swap(tokens[find_token(tokens, random, is_number)],
              tokens[find_token(tokens, random, is_number)]);
}

void change_tokens(Tokens& tokens, const Tokens& other, Random& random) {
    const std::size_t kind = random.below(16);
    if (kind < 3) {
        tokens[find_token(tokens, random, is_number)] = std::string(random.one_of(numbers));
    } else if (kind < 6) {
        tokens[find_token(tokens, random, is_number)] = other_number(tokens, random);
    } else if (kind < 8) {
        tokens[find_token(tokens, random, is_value)] = other_value(tokens, random);
    } else if (kind < 10) {
        swap_numbers(tokens, random);
    } else if (kind < 11) {
        replace_text(tokens, random);
    } else if (kind < 13) {
        remove_run(tokens, random);
    } else if (kind < 15) {
        insert_run(tokens, random.once_in(2) ? Tokens(tokens) : other, random);
    } else {
        spoil(tokens, random);
    }
}

}  // namespace

Tokens to_tokens(const std::string& json) {
    Tokens tokens;
    for (std::size_t at = 0; at < json.size();) {
        if (std::isspace(static_cast<unsigned char>(json[at])) != 0) {
            ++at;
            continue;
        }
        const std::size_t end = token_end(json, at);
        tokens.push_back(json.substr(at, end - at));
        at = end;
    }
    return tokens;
}

std::string mutate_tokens(Tokens tokens, const Tokens& other, Random& random) {
    const std::size_t changes = random.once_in(2) ? 1 : 1 + random.below(most_changes);
    for (std::size_t i = 0; i < changes && !tokens.empty(); ++i) {
        change_tokens(tokens, other, random);
    }
    std::string text;
    for (const std::string& token : tokens) {
        text += token;
    }
    return text;
}

std::string mutate_bytes(std::string bytes, Random& random) {
    const std::size_t changes = 1 + random.below(most_changes);
    for (std::size_t i = 0; i < changes && !bytes.empty(); ++i) {
        const std::size_t at = random.below(bytes.size());
        const std::size_t count = 1 + random.below(std::min<std::size_t>(bytes.size() - at, 16));
        switch (random.below(6)) {
            case 0:
                bytes[at] = static_cast<char>(bytes[at] ^ (1 << random.below(8)));
                break;
            case 1:
                bytes[at] = static_cast<char>(random.bits());
                break;
            case 2:
                bytes.insert(at, 1, static_cast<char>(random.bits()));
                break;
            case 3:
                bytes.erase(at, count);
                break;
            case 4:
                bytes.insert(at, std::string(bytes, random.below(bytes.size()), count));
                break;
            default:
                bytes.resize(random.once_in(4) ? at : bytes.size() - std::min(count, bytes.size()));
                break;
        }
    }
    return bytes;
}

}  // namespace reelyard::fuzz
