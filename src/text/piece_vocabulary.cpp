#include "piece_vocabulary.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>

#include <nlohmann/json.hpp>
#include <sentencepiece_processor.h>

#include "reelyard/base/error.hpp"

namespace reelyard::text {
namespace {

using nlohmann::json;

constexpr const char* json_path = "tokenizer/tokenizer.json";
constexpr const char* model_path = "tokenizer/spiece.model";
constexpr const char* config_path = "tokenizer/tokenizer_config.json";
constexpr const char* special_map_path = "tokenizer/special_tokens_map.json";
constexpr std::int64_t default_sentinels = 100;
constexpr std::int64_t most_sentinels = 100'000;

json parse_json(const CheckpointConfig& config, const std::string& path) {
    if (!config.files.contains(path)) {
        return json::object();
    }
    json document = json::parse(file_content(config, path), nullptr, false);
    require(document.is_object(),
            ErrorKind::input,
            "{}: found something else than a JSON object (expected one)",
            path);
    return document;
}

/// Runs `body`; what it finds wrong in a JSON document becomes an Error that names the file.
template <typename Body>
auto reading(const std::string& path, Body body) {
    try {
        return body();
    } catch (const json::exception& error) {
        fail(ErrorKind::input, "{}: {}", path, error.what());
    }
}

std::string decode_base64(std::string_view text) {
    constexpr std::string_view alphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string bytes;
    std::uint32_t bits = 0;
    int count = 0;
    for (const char c : text) {
        const std::size_t value = alphabet.find(c);
        if (value == std::string_view::npos) {
            break;
        }
        bits = (bits << 6U) | static_cast<std::uint32_t>(value);
        count += 6;
        if (count >= 8) {
            count -= 8;
            bytes.push_back(static_cast<char>((bits >> static_cast<unsigned>(count)) & 0xFFU));
        }
    }
    return bytes;
}

/// The character map of tokenizer.json, which may be one step of several.
std::string character_map_of(const json& normaliser) {
    if (normaliser.is_null()) {
        return {};
    }
    const json steps = normaliser.value("type", "") == "Sequence" ? normaliser.at("normalizers")
                                                                  : json::array({normaliser});
    for (const json& step : steps) {
        if (step.value("type", "") == "Precompiled") {
            return decode_base64(step.at("precompiled_charsmap").get<std::string>());
        }
    }
    return {};
}

/// Reads a protocol-buffer message that is known to be well-formed.
class MessageReader {
public:
    explicit MessageReader(std::string_view message) : rest_(message) {}

    /// The last length-delimited field of that number; empty when there is none.
    std::string_view find(std::uint64_t number) {
        std::string_view found;
        while (!rest_.empty()) {
            const std::uint64_t key = varint();
            const std::string_view value = take_value(key & 7U);
            found = key >> 3U == number ? value : found;
        }
        return found;
    }

private:
    std::uint64_t varint() {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
            const std::string_view byte = take(1);
            const auto bits = byte.empty() ? 0U : static_cast<unsigned char>(byte[0]);
            value |= static_cast<std::uint64_t>(bits & 0x7FU) << shift;
            if (bits < 0x80) {
                break;
            }
        }
        return value;
    }

    /// The bytes of a value of the wire type; those of a number are not needed.
    std::string_view take_value(std::uint64_t wire_type) {
        switch (wire_type) {
            case 0:
                (void)varint();
                return {};
            case 1:
                return take(8);
            case 2:
                return take(varint());
            case 5:
                return take(4);
            default:
                return take(rest_.size());
        }
    }

    std::string_view take(std::uint64_t count) {
        const std::string_view taken = rest_.substr(0, count);
        rest_.remove_prefix(taken.size());
        return taken;
    }

    std::string_view rest_;
};

void read_json(const json& document, PieceVocabulary& vocabulary) {
    const json& model = document.at("model");
    require(model.value("type", "Unigram") == "Unigram",
            ErrorKind::input,
            "{}: found a model of type '{}' (expected Unigram)",
            json_path,
            model.value("type", ""));
    for (const json& piece : model.at("vocab")) {
        vocabulary.pieces.push_back({piece.at(0).get<std::string>(), piece.at(1).get<double>()});
    }
    vocabulary.character_map = character_map_of(document.value("normalizer", json()));
}

/// \returns the control pieces of the model ("<pad>", "</s>")
std::vector<std::string> read_model(const std::string& content, PieceVocabulary& vocabulary) {
    // Numbers of the fields in sentencepiece_model.proto.
    constexpr std::uint64_t normaliser_field = 3;
    constexpr std::uint64_t character_map_field = 2;
    sentencepiece::SentencePieceProcessor model;
    const auto status = model.LoadFromSerializedProto(content);
    require(status.ok(),
            ErrorKind::input,
            "{}: found {} bytes that are not a SentencePiece model ({})",
            model_path,
            content.size(),
            status.message());
    std::vector<std::string> controls;
    for (int id = 0; id < model.GetPieceSize(); ++id) {
        vocabulary.pieces.push_back({model.IdToPiece(id), static_cast<double>(model.GetScore(id))});
        if (model.IsControl(id)) {
            controls.push_back(model.IdToPiece(id));
        }
    }
    const std::string_view normaliser = MessageReader(content).find(normaliser_field);
    vocabulary.character_map = MessageReader(normaliser).find(character_map_field);
    return controls;
}

/// A token as the tokenizer files write it: a string, or an object with its text and flags.
LiteralToken literal_token(const json& entry) {
    if (entry.is_string()) {
        return {.content = entry.get<std::string>()};
    }
    return {.content = entry.at("content").get<std::string>(),
            .takes_space_before = entry.value("lstrip", false),
            .takes_space_after = entry.value("rstrip", false),
            .only_whole_words = entry.value("single_word", false),
            .in_normalised_text = entry.value("normalized", false)};
}

/// Adds `token` unless one of the same text is there; ids come later.
void add_literal(std::vector<LiteralToken>& literals, LiteralToken token) {
    const bool known =
        std::ranges::find(literals, token.content, &LiteralToken::content) != literals.end();
    if (!known && !token.content.empty()) {
        literals.push_back(std::move(token));
    }
}

std::int64_t to_id(const std::string& text) {
    std::int64_t id = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, problem] = std::from_chars(text.data(), end, id);
    require(problem == std::errc() && stop == end,
            ErrorKind::input,
            "{}: added_tokens_decoder: found '{}' (expected a token id)",
            config_path,
            text);
    return id;
}

/// Tokens with flags and ids of their own, in the order of their ids.
void add_decoded(const json& settings, const json& document, std::vector<LiteralToken>& literals) {
    std::map<std::int64_t, json> by_id;
    if (settings.contains("added_tokens_decoder")) {
        for (const auto& [id, entry] : settings.at("added_tokens_decoder").items()) {
            by_id[to_id(id)] = entry;
        }
    } else {
        for (const json& entry : document.value("added_tokens", json::array())) {
            by_id[entry.at("id").get<std::int64_t>()] = entry;
        }
    }
    for (const auto& [id, entry] : by_id) {
        add_literal(literals, literal_token(entry));
    }
}

/// "eos_token", "pad_token" and the like; T5 has three of them even where the files say nothing.
void add_named(const json& settings, std::vector<LiteralToken>& literals) {
    for (const auto& [name, default_content] :
         {std::pair("eos_token", "</s>"), {"unk_token", "<unk>"}, {"pad_token", "<pad>"}}) {
        add_literal(literals, literal_token(settings.value(name, json(default_content))));
    }
    for (const auto& [name, entry] : settings.items()) {
        if (name.ends_with("_token") && (entry.is_string() || entry.is_object())) {
            add_literal(literals, literal_token(entry));
        }
    }
}

std::vector<std::string> sentinels(const json& settings) {
    const std::int64_t count = settings.value("extra_ids", default_sentinels);
    require(count >= 0 && count <= most_sentinels,
            ErrorKind::input,
            "{}: extra_ids: found {} (expected 0 to {})",
            config_path,
            count,
            most_sentinels);
    std::vector<std::string> tokens;
    for (std::int64_t i = 0; i < count; ++i) {
        tokens.push_back(fmt::format("<extra_id_{}>", i));
    }
    return tokens;
}

/// Tokens listed in the settings or, where there is no list, the control pieces and the sentinels.
void add_listed(const json& settings,
                const std::vector<std::string>& controls,
                std::vector<LiteralToken>& literals) {
    json list = settings.value("extra_special_tokens", json());
    if (list.empty() && settings.contains("additional_special_tokens")) {
        list = settings.at("additional_special_tokens");
    }
    if (list.is_object()) {
        for (const json& named : list) {
            add_literal(literals, literal_token(named));
        }
        list = nullptr;
    }
    if (list.is_null()) {
        list = controls;
        for (std::string& token : sentinels(settings)) {
            list.push_back(std::move(token));
        }
    }
    for (const json& entry : list) {
        add_literal(literals, literal_token(entry));
    }
}

/// Ids of the literals: of the piece of the same text, or the next free one.
void number_literals(PieceVocabulary& vocabulary) {
    std::map<std::string_view, std::int64_t> ids;
    for (std::size_t i = 0; i < vocabulary.pieces.size(); ++i) {
        ids[vocabulary.pieces[i].text] = static_cast<std::int64_t>(i);
    }
    auto next = static_cast<std::int64_t>(vocabulary.pieces.size());
    for (LiteralToken& token : vocabulary.literals) {
        const auto piece = ids.find(token.content);
        token.id = piece == ids.end() ? next++ : piece->second;
    }
}

json read_settings(const CheckpointConfig& config) {
    json settings = parse_json(config, config_path);
    if (!settings.contains("added_tokens_decoder")) {
        settings.update(parse_json(config, special_map_path));
    }
    return settings;
}

}  // namespace

PieceVocabulary read_piece_vocabulary(const CheckpointConfig& config) {
    PieceVocabulary vocabulary;
    const json settings = read_settings(config);
    const json document = parse_json(config, json_path);
    std::vector<std::string> controls;
    if (!document.empty()) {
        reading(json_path, [&] { read_json(document, vocabulary); });
    } else {
        controls = read_model(file_content(config, model_path), vocabulary);
        std::vector<std::string> extra = reading(config_path, [&] { return sentinels(settings); });
        for (auto token = extra.rbegin(); token != extra.rend(); ++token) {
            vocabulary.pieces.push_back({std::move(*token), 0.0});
        }
    }
    reading(config_path, [&] {
        add_decoded(settings, document, vocabulary.literals);
        add_named(settings, vocabulary.literals);
        add_listed(settings, controls, vocabulary.literals);
        vocabulary.end_token = literal_token(settings.value("eos_token", json("</s>"))).content;
        vocabulary.padding_token =
            literal_token(settings.value("pad_token", json("<pad>"))).content;
    });
    number_literals(vocabulary);
    return vocabulary;
}

}  // namespace reelyard::text
