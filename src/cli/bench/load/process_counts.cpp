#include "process_counts.hpp"

#include <charconv>
#include <ctime>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "reelyard/base/bytes.hpp"
#include "reelyard/base/error.hpp"

namespace reelyard::cli {
namespace {

/// The number in the line of a file below /proc that begins with `key`.
std::int64_t number_in(const char* path, std::string_view key) {
    std::ifstream file(path);
    std::string line;
    while (std::getline(file, line)) {
        if (!line.starts_with(key)) {
            continue;
        }
        const auto first = line.find_first_of("0123456789", key.size());
        std::int64_t value = 0;
        if (first != std::string::npos) {
            std::from_chars(line.data() + first, line.data() + line.size(), value);
        }
        return value;
    }
    fail(ErrorKind::storage, "{}: no line '{}' (expected one with a number)", path, key);
}

/// Whether a line of /proc/self/smaps ("address permissions offset device inode path") begins a
/// private mapping of a file, as those of programs and libraries are.
bool is_private_file(const std::string& line) {
    std::istringstream words(line);
    std::string address;
    std::string permissions;
    std::string offset;
    std::string device;
    std::uint64_t inode = 0;
    words >> address >> permissions >> offset >> device >> inode;
    return inode != 0 && permissions.ends_with('p');
}

/// A number of the line of /proc/self/stat, counted as proc(5) does: from 1, the name being 2.
std::int64_t stat_field(int wanted) {
    std::ifstream file("/proc/self/stat");
    std::string line;
    std::getline(file, line);
    // The name is in brackets and may hold spaces, and brackets.
    std::istringstream fields(line.substr(line.rfind(')') + 1));
    std::string field;
    for (int number = 3; number <= wanted; ++number) {
        fields >> field;
    }
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
    require(error == std::errc() && end == field.data() + field.size(),
            ErrorKind::storage,
            "/proc/self/stat: field {} is '{}' (expected a number)",
            wanted,
            field);
    return value;
}

}  // namespace

ResidentMemory resident_memory() {
    constexpr const char* status = "/proc/self/status";
    return {.bytes = number_in(status, "VmRSS:") * kibibyte,
            .peak_bytes = number_in(status, "VmHWM:") * kibibyte};
}

std::int64_t proportional_memory() {
    std::ifstream mappings("/proc/self/smaps");
    require(mappings.good(), ErrorKind::storage, "/proc/self/smaps: cannot be read");
    std::string line;
    bool counts = false;
    std::int64_t kibibytes = 0;
    while (std::getline(mappings, line)) {
        std::istringstream words(line);
        std::string key;
        words >> key;
        if (!key.ends_with(':')) {
            counts = !is_private_file(line);
        } else if (counts && key == "Pss:") {
            std::int64_t value = 0;
            words >> value;
            kibibytes += value;
        }
    }
    return kibibytes * kibibyte;
}

void forget_peak() {
    std::ofstream file("/proc/self/clear_refs");
    file << "5" << std::flush;
    require(file.good(),
            ErrorKind::storage,
            "/proc/self/clear_refs: writing failed (expected that it resets the peak of memory)");
}

std::int64_t storage_bytes_read() {
    return number_in("/proc/self/io", "read_bytes:");
}

std::optional<std::int64_t> device_bytes_read(const std::filesystem::path& file) {
    struct ::stat status {};
    if (::stat(file.c_str(), &status) != 0) {
        return std::nullopt;
    }
    std::ifstream counters(
        fmt::format("/sys/dev/block/{}:{}/stat", major(status.st_dev), minor(status.st_dev)));
    constexpr std::int64_t sector = 512;  // in these counters, whatever the device's own
    std::int64_t reads = 0;
    std::int64_t merged = 0;
    std::int64_t sectors = 0;
    return counters >> reads >> merged >> sectors ? std::optional(sectors * sector) : std::nullopt;
}

double seconds_since_start() {
    constexpr int start_time = 22;
    const double start =
        static_cast<double>(stat_field(start_time)) / static_cast<double>(::sysconf(_SC_CLK_TCK));
    ::timespec now{};
    ::clock_gettime(CLOCK_BOOTTIME, &now);
    constexpr double nano = 1e-9;
    return static_cast<double>(now.tv_sec) + nano * static_cast<double>(now.tv_nsec) - start;
}

}  // namespace reelyard::cli
