#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace reelyard::trace {

/// The row of what a rank computes; all others are named after groups of ranks.
inline constexpr std::string_view compute_row = "compute";

/// Something that took a while. Times are nanoseconds of the monotonic clock.
struct Event {
    enum class Kind { compute, exchange, wait };

    Kind kind = Kind::compute;
    std::string_view row;
    std::string_view name;
    std::int64_t begin = 0;
    std::int64_t end = 0;
    std::int64_t bytes = 0;  ///< received, of an exchange
};

/// What a rank did and when, in memory, up to a number of events. Recorded by one thread, through
/// Span and ExchangeSpan; where these are given no recorder, nothing happens.
class Recorder {
public:
    /// 26 MB of memory at most; some ten thousand are recorded for a video.
    static constexpr std::size_t usual_events = 400'000;

    /// \param most_events that are kept; later ones are only counted
    explicit Recorder(std::size_t most_events = usual_events);
    Recorder(const Recorder&) = delete;
    Recorder& operator=(const Recorder&) = delete;
    ~Recorder() = default;

    /// What has ended, in the order of the beginnings. The texts live as long as the recorder.
    [[nodiscard]] std::vector<Event> events() const;
    /// Events beyond those that are kept.
    [[nodiscard]] std::int64_t dropped() const { return dropped_; }
    /// When recording began.
    [[nodiscard]] std::int64_t start() const { return start_; }

    /// Nanoseconds, of all exchanges, those that are not kept included. What is under way when an
    /// outermost span of computation ends counts up to there and where it is waited for: nobody
    /// looks after it in between.
    struct ExchangeTime {
        std::int64_t in_flight = 0;  ///< one at least was under way
        std::int64_t waited = 0;     ///< this rank did nothing but wait for one
    };
    [[nodiscard]] ExchangeTime exchange_time() const { return exchange_time_; }

private:
    friend class Span;
    friend class ExchangeSpan;

    /// Which event; none when there is no room.
    using Slot = std::int64_t;
    static constexpr Slot no_slot = -1;

    [[nodiscard]] Slot begin(const Event& event);
    void end(Slot slot, std::int64_t time);
    void span_begins() { ++open_spans_; }
    void span_ends(std::int64_t time);
    /// \returns the stage that it belongs to
    [[nodiscard]] std::int64_t exchange_begins(std::int64_t time);
    void exchange_ends(std::int64_t stage, std::int64_t time);
    void waited(std::int64_t stage, std::int64_t duration);
    [[nodiscard]] std::string_view keep(std::string_view text);

    std::size_t most_events_;
    std::vector<Event> events_;
    std::set<std::string, std::less<>> texts_;
    std::int64_t dropped_ = 0;
    std::int64_t start_;
    std::int64_t open_spans_ = 0;
    std::int64_t stage_ = 0;                ///< outermost spans that have ended
    std::int64_t exchanges_under_way_ = 0;  ///< of this stage
    std::int64_t under_way_since_ = 0;
    ExchangeTime exchange_time_;
};

}  // namespace reelyard::trace
