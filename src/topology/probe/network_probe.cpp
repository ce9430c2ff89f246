#include "network_probe.hpp"

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

namespace reelyard::topology {
namespace {

namespace fs = std::filesystem;

constexpr double bits_of_byte = 8;
constexpr double mega_of_giga = 1000;

std::vector<fs::path> entries_of(const fs::path& folder) {
    std::vector<fs::path> entries;
    std::error_code ignored;
    for (fs::directory_iterator entry(folder, ignored), end; entry != end;
         entry.increment(ignored)) {
        entries.push_back(entry->path());
    }
    return entries;
}

std::string line_in(const fs::path& path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
}

/// The number that a file begins with; 0 when it begins with none.
double number_in(const fs::path& path) {
    std::ifstream file(path);
    double value = 0;
    return file >> value ? value : 0;
}

/// A port says "4: ACTIVE" and "400 Gb/sec (4X NDR)".
double infiniband_gb_per_s(const fs::path& sys) {
    double sum = 0;
    for (const fs::path& adapter : entries_of(sys / "class/infiniband")) {
        for (const fs::path& port : entries_of(adapter / "ports")) {
            if (line_in(port / "state").find("ACTIVE") != std::string::npos) {
                sum += number_in(port / "rate") / bits_of_byte;
            }
        }
    }
    return sum;
}

/// A port gives Mb/s, and -1 where it does not know. Ports without a device are software.
double ethernet_gb_per_s(const fs::path& sys) {
    double fastest = 0;
    for (const fs::path& port : entries_of(sys / "class/net")) {
        if (fs::exists(port / "device") && line_in(port / "operstate") == "up") {
            fastest = std::max(fastest, number_in(port / "speed") / mega_of_giga / bits_of_byte);
        }
    }
    return fastest;
}

}  // namespace

double network_speed(const std::filesystem::path& sys) {
    const double infiniband = infiniband_gb_per_s(sys);
    return infiniband > 0 ? infiniband : ethernet_gb_per_s(sys);
}

}  // namespace reelyard::topology
