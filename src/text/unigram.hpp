#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace reelyard::text {

/// A piece of text that is one token, and the logarithm of its probability.
struct Piece {
    std::string text;
    double score;
};

/// The unigram model of SentencePiece (Kudo 2018): of all ways to cut a word into pieces, the most
/// probable.
class Unigram {
public:
    /// \param unknown_id what stands for characters without a piece; a run of them is one token
    Unigram(std::vector<Piece> pieces, std::int64_t unknown_id);
    Unigram(const Unigram&) = delete;
    Unigram& operator=(const Unigram&) = delete;
    Unigram(Unigram&&) = delete;
    Unigram& operator=(Unigram&&) = delete;
    ~Unigram() = default;

    /// \param word UTF-8 \returns ids in the order of the text
    [[nodiscard]] std::vector<std::int64_t> encode(std::string_view word) const;

    /// The id of a whole piece, or -1.
    [[nodiscard]] std::int64_t id_of(std::string_view piece) const;
    [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(pieces_.size()); }

private:
    /// The best way to cut the text up to a place.
    struct BestEnd {
        static constexpr std::size_t unreached = static_cast<std::size_t>(-1);

        double score = 0.0;
        std::size_t start = unreached;  ///< where its last piece starts
        std::int64_t id = -1;

        /// Becomes `way` if that is better; of equals the first stays.
        void take_better(const BestEnd& way);
    };

    [[nodiscard]] std::vector<BestEnd> best_ends(std::string_view word) const;
    /// Offers every piece that starts at `start` to the ends; \returns whether one of them is the
    /// first character alone.
    bool offer_pieces(std::string_view word, std::size_t start, std::vector<BestEnd>& ends) const;

    std::vector<Piece> pieces_;
    std::unordered_map<std::string_view, std::int64_t> ids_;  ///< views into pieces_
    std::size_t longest_ = 0;                                 ///< bytes of the longest piece
    double unknown_score_ = 0.0;
    std::int64_t unknown_id_;
};

}  // namespace reelyard::text
