#include <algorithm>
#include <string_view>

#include "reelyard/base/error.hpp"
#include "reelyard/text/tokenizer.hpp"

#include "character_map.hpp"
#include "literal_tokens.hpp"
#include "piece_vocabulary.hpp"
#include "unicode.hpp"
#include "unigram.hpp"

namespace reelyard::text {
namespace {

/// U+2581, which stands for the space before a word.
constexpr std::string_view word_mark = "\xE2\x96\x81";

/// T5Tokenizer of transformers 5 gives this id to characters without a piece, whatever the model
/// says, and leaves byte pieces unused.
constexpr std::int64_t unknown_id = 2;

/// `text` cut at white space. \param text UTF-8
std::vector<std::string_view> words_of(std::string_view text) {
    std::vector<std::string_view> words;
    std::size_t start = 0;
    std::size_t place = 0;
    while (place < text.size()) {
        const std::size_t width = utf8_length(text.substr(place));
        if (is_white_space(to_utf32(text.substr(place, width))[0])) {
            if (place > start) {
                words.push_back(text.substr(start, place - start));
            }
            start = place + width;
        }
        place += width;
    }
    if (start < text.size()) {
        words.push_back(text.substr(start));
    }
    return words;
}

/// The literal tokens that are sought before (or after) the character map.
std::vector<LiteralToken> tokens_for(const PieceVocabulary& vocabulary, bool normalised) {
    std::vector<LiteralToken> tokens;
    std::ranges::copy_if(
        vocabulary.literals, std::back_inserter(tokens), [normalised](const LiteralToken& token) {
            return token.in_normalised_text == normalised;
        });
    return tokens;
}

class SentencePieceTokenizer final : public Tokenizer {
public:
    explicit SentencePieceTokenizer(PieceVocabulary vocabulary)
        : character_map_(vocabulary.character_map)
        , raw_tokens_(tokens_for(vocabulary, false))
        , normalised_tokens_(tokens_for(vocabulary, true))
        , unigram_(std::move(vocabulary.pieces), unknown_id)
        , end_id_(literal_id(vocabulary, vocabulary.end_token))
        , padding_id_(literal_id(vocabulary, vocabulary.padding_token)) {
        require(unigram_.size() > unknown_id,
                ErrorKind::input,
                "tokenizer: found {} pieces (expected more than {})",
                unigram_.size(),
                unknown_id);
        for (LiteralToken& token : normalised_tokens_) {
            token.content = character_map_.apply(token.content);
        }
    }

    Tokens encode(const std::string& text, std::int64_t max_length) const override {
        require(max_length >= 1,
                ErrorKind::usage,
                "tokens of a text: found a length of {} (expected at least 1)",
                max_length);
        require(decode_utf8(text).has_value(),
                ErrorKind::input,
                "text of {} bytes: found bytes that are not UTF-8 (expected UTF-8)",
                text.size());
        const auto length = static_cast<std::size_t>(max_length);
        Tokens tokens{.ids = {}, .mask = std::vector<std::int64_t>(length, 0), .length = 0};
        add_ids(text, tokens.ids);
        tokens.ids.resize(std::min(tokens.ids.size(), length - 1));
        tokens.ids.push_back(end_id_);
        tokens.length = std::ssize(tokens.ids);
        std::fill_n(tokens.mask.begin(), tokens.length, 1);
        tokens.ids.resize(length, padding_id_);
        return tokens;
    }

private:
    static std::int64_t literal_id(const PieceVocabulary& vocabulary, const std::string& content) {
        const auto found = std::ranges::find(vocabulary.literals, content, &LiteralToken::content);
        REELYARD_EXPECT(found != vocabulary.literals.end());
        return found->id;
    }

    /// The ids of a text without an end mark.
    void add_ids(std::string_view text, std::vector<std::int64_t>& ids) const {
        for (const TextPart& part : split_at_tokens(text, raw_tokens_)) {
            if (part.token) {
                ids.push_back(*part.token);
                continue;
            }
            const std::string normalised = character_map_.apply(part.text);
            for (const TextPart& inner : split_at_tokens(normalised, normalised_tokens_)) {
                if (inner.token) {
                    ids.push_back(*inner.token);
                    continue;
                }
                for (const std::string_view word : words_of(inner.text)) {
                    add_word_ids(word, ids);
                }
            }
        }
    }

    /// A word begins with a mark, and each further mark in it begins another one.
    void add_word_ids(std::string_view word, std::vector<std::int64_t>& ids) const {
        std::string marked(word.starts_with(word_mark) ? "" : word_mark);
        marked += word;
        for (std::size_t start = 0; start < marked.size();) {
            const std::size_t next =
                std::min(marked.find(word_mark, start + word_mark.size()), marked.size());
            const std::vector<std::int64_t> found =
                unigram_.encode(std::string_view(marked).substr(start, next - start));
            ids.insert(ids.end(), found.begin(), found.end());
            start = next;
        }
    }

    CharacterMap character_map_;
    std::vector<LiteralToken> raw_tokens_;
    std::vector<LiteralToken> normalised_tokens_;
    Unigram unigram_;
    std::int64_t end_id_;
    std::int64_t padding_id_;
};

}  // namespace

std::unique_ptr<Tokenizer> make_sentencepiece_tokenizer(const CheckpointConfig& config) {
    return std::make_unique<SentencePieceTokenizer>(read_piece_vocabulary(config));
}

}  // namespace reelyard::text
