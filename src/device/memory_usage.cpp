#include "reelyard/device/memory_usage.hpp"

#include <charconv>
#include <fstream>
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

std::int64_t host_peak_bytes() {
    std::ifstream status("/proc/self/status");
    std::string line;
    while (std::getline(status, line)) {
        if (line.starts_with("VmHWM:")) {
            return parse_kibibytes(line);
        }
    }
    fail(ErrorKind::storage,
         "/proc/self/status: no line VmHWM (expected the peak of resident memory)");
}

}  // namespace

MemoryUsage peak_memory(c10::Device device) {
    return {.host_peak_bytes = host_peak_bytes(),
            .device_peak_bytes = device.is_cuda() ? backend::peak_bytes(device.index()) : 0};
}

}  // namespace reelyard::device
