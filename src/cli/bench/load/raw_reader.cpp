#include "raw_reader.hpp"

#include <algorithm>

namespace reelyard::cli {
namespace {

constexpr std::int64_t page = 4 * kibibyte;

std::vector<Interval> cut(const std::vector<Interval>& parts, std::int64_t piece_bytes) {
    std::vector<Interval> pieces;
    for (const Interval& part : parts) {
        for (std::int64_t begin = part.begin; begin < part.end; begin += piece_bytes) {
            pieces.push_back({.begin = begin, .end = std::min(begin + piece_bytes, part.end)});
        }
    }
    return pieces;
}

}  // namespace

RawReader::RawReader(const std::filesystem::path& file,
                     const std::vector<Interval>& parts,
                     std::int64_t piece_bytes)
    : pieces_(cut(parts, piece_bytes))
    , piece_bytes_(piece_bytes)
    , memory_(std::min(buffers, static_cast<std::int64_t>(pieces_.size())) * piece_bytes)
    , reader_(file) {}

void RawReader::start(std::size_t piece) {
    const Interval& place = pieces_[piece];
    const auto buffer = static_cast<std::int64_t>(piece) % buffers * piece_bytes_;
    reader_.start({.extents = {{.offset = place.begin,
                                .into = memory_.bytes().subspan(
                                    static_cast<std::size_t>(buffer),
                                    static_cast<std::size_t>(place.end - place.begin))}}});
}

std::int64_t RawReader::read() {
    const std::size_t ahead = std::min(pieces_.size(), static_cast<std::size_t>(buffers));
    for (std::size_t piece = 0; piece < ahead; ++piece) {
        start(piece);
    }
    std::int64_t bytes = 0;
    for (std::size_t piece = 0; piece < pieces_.size(); ++piece) {
        bytes += reader_.finish([] {});
        if (piece + ahead < pieces_.size()) {
            start(piece + ahead);  // its buffer is that of the read that has just been finished
        }
    }
    return bytes;
}

Interval share_of(Interval region, Shard rank) {
    const Interval share = shard_of(align_up(region.end - region.begin, page), page, rank);
    return {.begin = std::min(region.begin + share.begin, region.end),
            .end = std::min(region.begin + share.end, region.end)};
}

}  // namespace reelyard::cli
