#include "stage/piece_exchange.hpp"

#include <algorithm>
#include <cstddef>
#include <span>

#include "reelyard/base/stop_signal.hpp"

namespace reelyard::store {
namespace {

// Pieces in memory: with those of 16 MiB, 128 MiB a rank.
constexpr std::int64_t most_outgoing = 4;
constexpr std::int64_t most_incoming = 4;
constexpr int tag = 0;  // between two ranks pieces go in the order of the steps

std::int64_t length(const Interval& piece) {
    return piece.end - piece.begin;
}

}  // namespace

PieceExchange::PieceExchange(const StagePlan& plan,
                             const mpi::Communicator& ranks,
                             const mpi::NodeLayout& layout,
                             const std::filesystem::path& source,
                             const std::filesystem::path& target)
    : plan_(plan)
    , ranks_(&ranks)
    , layout_(&layout)
    , target_(target, ByteFile::Access::write)
    , reader_(source) {
    for (std::int64_t i = 0; i < std::min(most_outgoing, own_steps()); ++i) {
        outgoing_.emplace_back(plan_.piece_bytes(), *ranks_);
    }
    for (std::int64_t i = 0; i < std::min(most_incoming, own_steps() * other_nodes()); ++i) {
        incoming_.emplace_back(plan_.piece_bytes(), *ranks_);
    }
}

std::optional<Error> PieceExchange::run_until(std::int64_t end) {
    while (passed_on_ < own_steps() && step_of(passed_on_) < end) {
        read_ahead();
        receive_ahead();
        pass_on();
        while (taken_ < passed_on_ * other_nodes()) {
            receive_ahead();
            take_next();
        }
    }
    return failure_;
}

void PieceExchange::read_ahead() {
    const std::int64_t until = std::min(passed_on_ + most_outgoing, own_steps());
    for (; reads_started_ < until; ++reads_started_) {
        Slot& slot = outgoing_[static_cast<std::size_t>(reads_started_ % most_outgoing)];
        slot.transfers.wait_patiently();
        const Interval piece = plan_.piece(layout_->own_node(), step_of(reads_started_));
        const std::span<std::byte> memory = slot.memory.part(0, length(piece));
        reader_.start(
            {.extents = {{.offset = piece.begin, .into = memory}}, .then = [this, piece, memory] {
                 target_.write(piece.begin, memory);
             }});
    }
}

void PieceExchange::pass_on() {
    const std::int64_t step = step_of(passed_on_);
    guarded([&] {
        bytes_read_ += reader_.finish([this] { move_transfers(); });
        require(!StopSignal::requested(),
                ErrorKind::stopped,
                "stage: stopped by a signal; nothing was written");
    });
    Slot& slot = outgoing_[static_cast<std::size_t>(passed_on_ % most_outgoing)];
    const Interval piece = plan_.piece(layout_->own_node(), step);
    for (int i = 1; i < layout_->nodes(); ++i) {
        const int node = (layout_->own_node() + i) % layout_->nodes();
        const auto rank = static_cast<std::size_t>(plan_.rank_of(node, step));
        slot.transfers.send(slot.memory.part(0, length(piece)), layout_->ranks_of(node)[rank], tag);
    }
    bytes_written_ += length(piece);
    ++passed_on_;
}

void PieceExchange::receive_ahead() {
    const std::int64_t until = std::min(taken_ + most_incoming, own_steps() * other_nodes());
    for (; receives_started_ < until; ++receives_started_) {
        const Arrival next = arrival(receives_started_);
        Slot& slot = incoming_[static_cast<std::size_t>(receives_started_ % most_incoming)];
        slot.transfers.receive(slot.memory.part(0, length(next.piece)), next.source, tag);
    }
}

void PieceExchange::take_next() {
    Slot& slot = incoming_[static_cast<std::size_t>(taken_ % most_incoming)];
    const Interval piece = arrival(taken_).piece;
    slot.transfers.wait_patiently();
    guarded([&] { target_.write(piece.begin, slot.memory.part(0, length(piece))); });
    bytes_written_ += length(piece);
    ++taken_;
}

void PieceExchange::move_transfers() {
    for (std::deque<Slot>* slots : {&outgoing_, &incoming_}) {
        for (Slot& slot : *slots) {
            (void)slot.transfers.test();
        }
    }
}

void PieceExchange::guarded(const std::function<void()>& body) {
    try {
        body();
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::communication) {
            throw;
        }
        failure_ = failure_.value_or(error);
    }
}

std::int64_t PieceExchange::own_steps() const {
    const auto ranks = static_cast<std::int64_t>(layout_->node().size());
    return (plan_.steps() - layout_->node().rank() + ranks - 1) / ranks;
}

std::int64_t PieceExchange::step_of(std::int64_t own_step) const {
    return layout_->node().rank() + own_step * layout_->node().size();
}

PieceExchange::Arrival PieceExchange::arrival(std::int64_t number) const {
    // From the nodes before this one first: they send to those behind them first.
    const std::int64_t step = step_of(number / other_nodes());
    const auto distance = static_cast<int>(number % other_nodes()) + 1;
    const int node = (layout_->own_node() + layout_->nodes() - distance) % layout_->nodes();
    const auto rank = static_cast<std::size_t>(plan_.rank_of(node, step));
    return {.source = layout_->ranks_of(node)[rank], .piece = plan_.piece(node, step)};
}

}  // namespace reelyard::store
