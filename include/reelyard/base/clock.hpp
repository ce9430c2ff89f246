#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace reelyard {

/// Seconds since it was made, on the monotonic clock.
class Stopwatch {
public:
    [[nodiscard]] double seconds() const {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    }

private:
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// On the monotonic clock, which all processes of a node share.
[[nodiscard]] std::int64_t monotonic_nanoseconds();

/// "850 ms", "12.4 s", "3 min 20 s", "2 h 05 min".
[[nodiscard]] std::string format_seconds(double seconds);

/// Seconds since the system started this process.
[[nodiscard]] double process_age_seconds();

/// The time of day as "2026-01-31T12:00:00Z" (UTC).
[[nodiscard]] std::string utc_now();

}  // namespace reelyard
