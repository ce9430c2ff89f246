#include "file/strict_json.hpp"

#include <algorithm>
#include <set>
#include <vector>

#include <nlohmann/json.hpp>

#include "reelyard/base/error.hpp"

namespace reelyard::store {
namespace {

using nlohmann::json;

// More than any of our files needs, and few enough for functions that call themselves per level.
constexpr int deepest = 32;
constexpr std::size_t longest_shown = 60;
constexpr unsigned char first_printable = 0x20;
constexpr std::size_t longest_reason = 200;

/// Watches a parser.
class Watcher {
public:
    explicit Watcher(const std::string& place) : place_(place) {}

    void see(int depth, json::parse_event_t event, const json& parsed) {
        using Event = json::parse_event_t;
        require(depth <= deepest,
                ErrorKind::input,
                "{}: is nested deeper than {} levels",
                place_,
                deepest);
        if (event == Event::object_start) {
            keys_.emplace_back();
        } else if (event == Event::object_end) {
            keys_.pop_back();
        } else if (event == Event::key) {
            check_text(parsed, first_printable);
            require(keys_.back().insert(parsed.get<std::string>()).second,
                    ErrorKind::input,
                    "{}: {} stands twice in one object",
                    place_,
                    shown(parsed));
        } else if (event == Event::value && parsed.is_string()) {
            check_text(parsed, 1);
        }
    }

private:
    void check_text(const json& text, unsigned char least) const {
        const auto& characters = text.get_ref<const std::string&>();
        const auto is_less = [&](char c) {
            return static_cast<unsigned char>(c) < least;
        };
        require(std::none_of(characters.begin(), characters.end(), is_less),
                ErrorKind::input,
                "{}: {} holds a control character",
                place_,
                shown(text));
    }

    const std::string& place_;
    std::vector<std::set<std::string>> keys_ = {};  ///< of the objects that are open
};

/// The first bytes of a text that are whole characters.
std::string first_characters(const std::string& text, std::size_t bytes) {
    const auto is_inside = [](char c) {
        return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U;
    };
    while (bytes > 0 && is_inside(text[bytes])) {
        --bytes;
    }
    return text.substr(0, bytes);
}

/// What the parser says, without the part of the text that it quotes, which may be long and of any
/// bytes.
std::string reason(const json::exception& error) {
    const std::string text = error.what();
    return text.substr(0, std::min({text.find("; last read"), longest_reason, text.size()}));
}

}  // namespace

json parse_strictly(std::string_view text, const std::string& place) {
    Watcher watcher(place);
    const auto watch = [&](int depth, json::parse_event_t event, json& parsed) {
        watcher.see(depth, event, parsed);
        return true;
    };
    try {
        return json::parse(text, watch);
    } catch (const json::exception& error) {
        fail(ErrorKind::input, "{}: is not valid JSON: {}", place, reason(error));
    }
}

std::string shown(const json& value) {
    const std::string text = value.dump();
    return text.size() <= longest_shown ? text : first_characters(text, longest_shown) + "...";
}

}  // namespace reelyard::store
