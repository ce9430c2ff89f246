#include "reelyard/base/clock.hpp"

#include <cmath>
#include <cstdint>
#include <ctime>
#include <fstream>
#include <sstream>

#include <unistd.h>

#include "reelyard/base/format.hpp"

namespace reelyard {

std::int64_t monotonic_nanoseconds() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

std::string format_seconds(double seconds) {
    if (seconds < 1.0) {
        return fmt::format("{:.0f} ms", seconds * 1000.0);
    }
    if (seconds < 60.0) {
        return fmt::format("{:.1f} s", seconds);
    }
    const auto whole = static_cast<std::int64_t>(std::llround(seconds));
    if (whole < 3600) {
        return fmt::format("{} min {:02} s", whole / 60, whole % 60);
    }
    const std::int64_t minutes = (whole + 30) / 60;
    return fmt::format("{} h {:02} min", minutes / 60, minutes % 60);
}

double process_age_seconds() {
    // Field 22 of the line is the start in clock ticks since the system booted; the fields before
    // it begin behind the name, which is in parentheses and may hold anything.
    std::ifstream file("/proc/self/stat");
    std::string line;
    std::getline(file, line);
    std::istringstream fields(line.substr(line.rfind(')') + 1));
    std::string skipped;
    for (int field = 3; field < 22; ++field) {
        fields >> skipped;
    }
    double start_ticks = 0.0;
    fields >> start_ticks;
    std::timespec now{};
    clock_gettime(CLOCK_BOOTTIME, &now);
    const double since_boot =
        static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
    return since_boot - start_ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
}

std::string utc_now() {
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    gmtime_r(&now, &parts);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
                       parts.tm_year + 1900,
                       parts.tm_mon + 1,
                       parts.tm_mday,
                       parts.tm_hour,
                       parts.tm_min,
                       parts.tm_sec);
}

}  // namespace reelyard
