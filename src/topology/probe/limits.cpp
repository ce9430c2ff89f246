#include "limits.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <limits>

#include "reelyard/base/bytes.hpp"

namespace reelyard::topology {
namespace {

/// The whole text as a number.
std::optional<std::int64_t> number_in(const std::string& text) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool good = error == std::errc{} && end == text.data() + text.size();
    return good ? std::optional(value) : std::nullopt;
}

/// A number in a file; nothing where there is none ("max" means no limit).
std::optional<std::int64_t> number_in_file(const std::filesystem::path& path) {
    std::ifstream file(path);
    std::string word;
    return file >> word ? number_in(word) : std::nullopt;
}

/// Where the limits of a control group lie, and what their file is called.
struct Hierarchy {
    std::filesystem::path mount;
    std::string group;
    std::string file;
};

/// A line is "0::/group" in version 2 and "4:memory:/group" in version 1.
std::optional<Hierarchy> hierarchy_of(const std::string& line, const std::filesystem::path& root) {
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) {
        return std::nullopt;
    }
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const auto mount = root / "sys/fs/cgroup";
    if (controllers == ",,") {
        return Hierarchy{mount, line.substr(second + 1), "memory.max"};
    }
    if (controllers.find(",memory,") != std::string::npos) {
        return Hierarchy{mount / "memory", line.substr(second + 1), "memory.limit_in_bytes"};
    }
    return std::nullopt;
}

std::int64_t least_limit(const Hierarchy& hierarchy) {
    std::int64_t least = std::numeric_limits<std::int64_t>::max();
    for (std::string group = hierarchy.group;; group.erase(group.rfind('/'))) {
        const auto limit = number_in_file(hierarchy.mount.string() + group + '/' + hierarchy.file);
        least = std::min(least, limit.value_or(least));
        if (group.find('/') == std::string::npos) {
            return least;
        }
    }
}

std::vector<std::string> split(const std::string& text) {
    std::vector<std::string> words;
    for (std::size_t start = 0; start < text.size();) {
        const std::size_t comma = std::min(text.find(',', start), text.size());
        words.push_back(text.substr(start, comma - start));
        start = comma + 1;
    }
    return words;
}

/// An index, or the beginning of one GPU's id.
std::optional<int> gpu_named(const std::string& word, const std::vector<std::string>& ids) {
    const auto index = number_in(word);
    if (index) {
        const bool good = *index >= 0 && *index < static_cast<std::int64_t>(ids.size());
        return good ? std::optional(static_cast<int>(*index)) : std::nullopt;
    }
    const auto found = std::find_if(ids.begin(), ids.end(), [&](const std::string& id) {
        return !word.empty() && id.starts_with(word);
    });
    return found == ids.end() ? std::nullopt : std::optional(static_cast<int>(found - ids.begin()));
}

}  // namespace

Environment process_environment() {
    return [](const std::string& name) -> std::optional<std::string> {
        const char* value = std::getenv(name.c_str());
        return value == nullptr ? std::nullopt : std::optional<std::string>(value);
    };
}

std::optional<std::int64_t> control_group_memory(const std::filesystem::path& root) {
    // Version 1 says "no limit" by a number near the largest one.
    constexpr std::int64_t no_limit = std::int64_t{1} << 62;
    std::int64_t least = no_limit;
    std::ifstream groups(root / "proc/self/cgroup");
    std::string line;
    while (std::getline(groups, line)) {
        const auto hierarchy = hierarchy_of(line, root);
        if (hierarchy) {
            least = std::min(least, least_limit(*hierarchy));
        }
    }
    return least < no_limit ? std::optional(least) : std::nullopt;
}

std::optional<std::int64_t> slurm_memory(const Environment& environment) {
    const auto number = [&](const std::string& name) -> std::int64_t {
        return number_in(environment(name).value_or("")).value_or(0);
    };
    const std::int64_t per_node = number("SLURM_MEM_PER_NODE");
    const std::int64_t per_cpus = number("SLURM_MEM_PER_CPU") * number("SLURM_CPUS_ON_NODE");
    const std::int64_t mebibytes = per_node > 0 ? per_node : per_cpus;  // 0: all of the node's
    return mebibytes > 0 ? std::optional(mebibytes * mebibyte) : std::nullopt;
}

std::int64_t within_limits(std::int64_t memory_bytes) {
    const auto group = control_group_memory("/");
    const auto slurm = slurm_memory(process_environment());
    return std::min({memory_bytes, group.value_or(memory_bytes), slurm.value_or(memory_bytes)});
}

std::vector<int> visible_gpus(const Environment& environment, const std::vector<std::string>& ids) {
    std::vector<int> visible;
    const auto setting = environment("CUDA_VISIBLE_DEVICES");
    if (!setting) {
        for (std::size_t index = 0; index < ids.size(); ++index) {
            visible.push_back(static_cast<int>(index));
        }
        return visible;
    }
    for (const std::string& word : split(*setting)) {
        const auto gpu = gpu_named(word, ids);
        if (!gpu) {
            break;  // as CUDA does: what follows a wrong name is not visible
        }
        visible.push_back(*gpu);
    }
    return visible;
}

}  // namespace reelyard::topology
