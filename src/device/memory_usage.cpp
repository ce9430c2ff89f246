#include "reelyard/device/memory_usage.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>

#include "reelyard/base/bytes.hpp"
#include "reelyard/base/error.hpp"

#include "backend.hpp"

namespace reelyard::device {

namespace {

// The line is "VmHWM:     12345 kB".
std::int64_t parse_kibibytes(std::string_view line) {
    const auto first = line.find_first_of("0123456789");
    std::int64_t value = 0;
    if (first != std::string_view::npos) {
        std::from_chars(line.data() + first, line.data() + line.size(), value);
    }
    return value * kibibyte;
}

/// The value of a line such as "VmHWM:     12345 kB".
std::int64_t kibibytes_in(const std::string& path, std::string_view key) {
    std::ifstream file(path);
    std::string line;
    while (std::getline(file, line)) {
        if (line.starts_with(key)) {
            return parse_kibibytes(line);
        }
    }
    fail(ErrorKind::storage, "{}: no line {} (expected one with a number)", path, key);
}

/// The folder of this process in the unified control group tree; empty where there is none.
std::string control_group() {
    std::ifstream groups("/proc/self/cgroup");
    std::string line;
    while (std::getline(groups, line)) {
        if (line.starts_with("0::/")) {
            return "/sys/fs/cgroup" + line.substr(3);
        }
    }
    return "";
}

/// A number in a file; nothing where there is none ("max" means no limit).
std::optional<std::int64_t> number_in(const std::string& path) {
    std::ifstream file(path);
    std::int64_t value = 0;
    return file >> value ? std::optional(value) : std::nullopt;
}

/// What the control groups from this process upwards leave free.
std::int64_t left_by_control_groups(std::int64_t available) {
    for (std::string folder = control_group(); folder.size() > std::string("/sys/fs/cgroup").size();
         folder.erase(folder.rfind('/'))) {
        const auto limit = number_in(folder + "/memory.max");
        const auto used = number_in(folder + "/memory.current");
        if (limit && used) {
            available = std::min(available, std::max(*limit - *used, std::int64_t{0}));
        }
    }
    return available;
}

}  // namespace

MemoryUsage peak_memory(c10::Device device) {
    return {.host_peak_bytes = kibibytes_in("/proc/self/status", "VmHWM:"),
            .device_peak_bytes = device.is_cuda() ? backend::peak_bytes(device.index()) : 0};
}

std::int64_t available_host_bytes() {
    return left_by_control_groups(kibibytes_in("/proc/meminfo", "MemAvailable:"));
}

}  // namespace reelyard::device
