#include "unigram.hpp"

#include <algorithm>

#include "reelyard/base/error.hpp"

#include "unicode.hpp"

namespace reelyard::text {
namespace {

/// How much less probable than the rarest piece a character without one is.
constexpr double unknown_penalty = 10.0;

}  // namespace

Unigram::Unigram(std::vector<Piece> pieces, std::int64_t unknown_id)
    : pieces_(std::move(pieces))
    , unknown_id_(unknown_id) {
    double lowest = 0.0;
    for (std::size_t i = 0; i < pieces_.size(); ++i) {
        lowest = i == 0 ? pieces_[i].score : std::min(lowest, pieces_[i].score);
        longest_ = std::max(longest_, pieces_[i].text.size());
        ids_[pieces_[i].text] = static_cast<std::int64_t>(i);
    }
    unknown_score_ = lowest - unknown_penalty;
}

std::int64_t Unigram::id_of(std::string_view piece) const {
    const auto found = ids_.find(piece);
    return found == ids_.end() ? -1 : found->second;
}

void Unigram::BestEnd::take_better(const BestEnd& way) {
    if (start == unreached || way.score > score) {
        *this = way;
    }
}

bool Unigram::offer_pieces(std::string_view word,
                           std::size_t start,
                           std::vector<BestEnd>& ends) const {
    const std::size_t first_end = start + utf8_length(word.substr(start));
    const std::size_t last_end = std::min(word.size(), start + longest_);
    bool first_alone = false;
    for (std::size_t end = first_end; end <= last_end; ++end) {
        const std::int64_t id = id_of(word.substr(start, end - start));
        if (id >= 0) {
            const double score = pieces_[static_cast<std::size_t>(id)].score;
            ends[end].take_better({ends[start].score + score, start, id});
            first_alone = first_alone || end == first_end;
        }
    }
    return first_alone;
}

std::vector<Unigram::BestEnd> Unigram::best_ends(std::string_view word) const {
    std::vector<BestEnd> ends(word.size() + 1);
    std::size_t width = 0;
    for (std::size_t start = 0; start < word.size(); start += width) {
        width = utf8_length(word.substr(start));
        REELYARD_EXPECT(width > 0);
        if (!offer_pieces(word, start, ends)) {
            ends[start + width].take_better(
                {ends[start].score + unknown_score_, start, unknown_id_});
        }
    }
    return ends;
}

std::vector<std::int64_t> Unigram::encode(std::string_view word) const {
    const std::vector<BestEnd> ends = best_ends(word);
    std::vector<std::int64_t> ids;
    for (std::size_t end = word.size(); end > 0; end = ends[end].start) {
        const std::int64_t id = ends[end].id;
        const bool run_of_unknown = id == unknown_id_ && !ids.empty() && ids.back() == unknown_id_;
        if (!run_of_unknown) {
            ids.push_back(id);
        }
    }
    std::ranges::reverse(ids);
    return ids;
}

}  // namespace reelyard::text
