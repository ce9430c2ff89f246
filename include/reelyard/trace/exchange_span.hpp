#pragma once

#include <cstdint>
#include <string_view>
#include <utility>

#include "reelyard/trace/recorder.hpp"

namespace reelyard::trace {

/// An exchange between ranks, from its start until this rank has seen it through, and within it the
/// time in which the rank did nothing but wait for it.
class ExchangeSpan {
public:
    /// Nothing is recorded.
    ExchangeSpan() = default;
    /// \param recorder outlives this; none: nothing is recorded \param group its row
    /// \param name of the exchange \param bytes that this rank is to receive
    ExchangeSpan(Recorder* recorder,
                 std::string_view group,
                 std::string_view name,
                 std::int64_t bytes);
    ExchangeSpan(ExchangeSpan&& other) noexcept;
    ExchangeSpan& operator=(ExchangeSpan&& other) noexcept;
    ExchangeSpan(const ExchangeSpan&) = delete;
    ExchangeSpan& operator=(const ExchangeSpan&) = delete;
    ~ExchangeSpan() { end(); }

    /// It is through; waiting for it ends, too.
    void end();

    /// This rank waits while this object lives, and the exchange is not through.
    class Wait {
    public:
        /// \param exchange outlives this
        explicit Wait(ExchangeSpan& exchange) : exchange_(exchange) { exchange_.begin_wait(); }
        Wait(const Wait&) = delete;
        Wait& operator=(const Wait&) = delete;
        ~Wait() { exchange_.end_wait(); }

    private:
        ExchangeSpan& exchange_;
    };

private:
    void begin_wait();
    void end_wait();
    void end_wait(std::int64_t time);

    Recorder* recorder_ = nullptr;  ///< none when it is through
    Recorder::Slot slot_ = Recorder::no_slot;
    Recorder::Slot wait_slot_ = Recorder::no_slot;
    std::int64_t stage_ = 0;
    std::string_view group_;  ///< kept by the recorder
    std::int64_t waiting_since_ = not_waiting;

    static constexpr std::int64_t not_waiting = -1;
};

}  // namespace reelyard::trace
