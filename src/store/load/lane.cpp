#include "load/lane.hpp"

#include <algorithm>
#include <utility>

#include "reelyard/base/bytes.hpp"

#include "load/convert.hpp"
#include "memory/page.hpp"

namespace reelyard::store {
namespace {

constexpr int piece_tag = 0;

std::unique_ptr<Landing> make_landing(std::int64_t bytes,
                                      const PieceSchedule& schedule,
                                      const mpi::NodeLayout& nodes,
                                      const Lane::Choice& choice) {
    return choice.is_staged ? make_device_landing(bytes, schedule, nodes, choice.device)
                            : make_host_landing(bytes, nodes);
}

/// The most memory that the parts of one piece need before they are converted.
std::int64_t staging_bytes(const Segment& segment, std::int64_t piece_bytes) {
    std::int64_t most = 0;
    for (std::int64_t begin = 0; begin < segment.bytes; begin += piece_bytes) {
        std::int64_t bytes = 0;
        for (const Part& part : parts_within(segment, begin, begin + piece_bytes)) {
            bytes += part.is_converted() ? align_up(part.bytes, page) + page : 0;
        }
        most = std::max(most, bytes);
    }
    return most;
}

/// Adds a read, or lengthens the last one by what lies behind it and the padding between.
void add_extent(std::vector<Extent>& extents, const Extent& next, bool follows) {
    if (extents.empty() || !follows) {
        extents.push_back(next);
        return;
    }
    Extent& last = extents.back();
    const std::int64_t bytes =
        next.offset - last.offset + static_cast<std::int64_t>(next.into.size());
    last.into = {last.into.data(), static_cast<std::size_t>(bytes)};
}

}  // namespace

Lane::Lane(const Segment& segment, Ranks ranks, const Choice& choice, TensorSums* sums)
    : segment_(segment)
    , ranks_(std::move(ranks))
    , schedule_(
          segment.bytes, choice.piece_bytes, ranks_.nodes.ranks_by_node(), ranks_.group.rank())
    , landing_(make_landing(segment.bytes, schedule_, ranks_.nodes, choice))
    , sums_(sums) {
    const std::int64_t bytes = staging_bytes(segment_, schedule_.piece_bytes());
    const std::int64_t buffers = std::min(schedule_.rounds(), lookahead_rounds + 1);
    for (std::int64_t i = 0; bytes > 0 && i < buffers; ++i) {
        staging_.emplace_back(bytes);
    }
}

ReadTask Lane::read(std::int64_t round) {
    mpi::Requests& transfers = transfers_.emplace_back(ranks_.group);
    for (const IncomingPiece& incoming : schedule_.incoming(round)) {
        const std::span<std::byte> place = landing_->place(incoming.piece);
        populate(place);
        transfers.receive(place, incoming.source, piece_tag);
        bytes_received_ += static_cast<std::int64_t>(place.size());
    }
    const auto piece = schedule_.own(round);
    return piece ? read_into(landing_->place(*piece), *piece, round) : ReadTask{};
}

ReadTask Lane::read_into(std::span<std::byte> place, const Piece& piece, std::int64_t round) {
    ReadTask task;
    std::vector<Staged> parts;
    std::int64_t staged = 0;
    for (const Part& part : parts_within(segment_, piece.begin, piece.end)) {
        const auto final = place.subspan(static_cast<std::size_t>(part.target - piece.begin),
                                         static_cast<std::size_t>(part.target_bytes()));
        std::span<std::byte> raw = final;
        if (part.is_converted()) {
            const HostBuffer& buffer = staging_[static_cast<std::size_t>(round) % staging_.size()];
            const std::int64_t begin = align_up(staged, page) + part.slab_begin() % page;
            raw = buffer.part(begin, part.bytes);
            staged = begin + part.bytes;
        }
        add_extent(task.extents, {.offset = part.slab_begin(), .into = raw}, part.follows);
        parts.push_back({.part = part, .raw = raw, .final = final});
    }
    const bool is_converted = staged > 0;
    task.then = [parts = std::move(parts), sums = sums_, place, is_converted] {
        if (is_converted) {
            populate(place);  // the read has not written to it
        }
        for (const Staged& each : parts) {
            if (sums != nullptr) {
                sums->add(*each.part.tensor, each.part.from, each.raw);
            }
            if (each.part.is_converted()) {
                convert(each.raw, each.part.tensor->dtype, each.final, each.part.to);
            }
        }
    };
    return task;
}

void Lane::arrived(std::int64_t round) {
    const auto piece = schedule_.own(round);
    if (!piece) {
        return;
    }
    for (const int target : schedule_.targets()) {
        transfers_[static_cast<std::size_t>(round - first_transfer_)].send(
            landing_->place(*piece), target, piece_tag);
    }
}

void Lane::settle(std::int64_t round) {
    transfers_.front().wait_patiently();
    transfers_.pop_front();
    ++first_transfer_;
    landing_->landed(round);
}

void Lane::progress() {
    for (mpi::Requests& transfers : transfers_) {
        (void)transfers.test();
    }
}

}  // namespace reelyard::store
