#include "nearest_name.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "reelyard/base/format.hpp"

namespace reelyard::jobs {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 17> foreign_names{{
    {"num_frames", "frames"},
    {"frame_num", "frames"},
    {"num_inference_steps", "steps"},
    {"sample_steps", "steps"},
    {"cfg", "guidance_scale"},
    {"cfg_scale", "guidance_scale"},
    {"guidance", "guidance_scale"},
    {"sample_guide_scale", "guidance_scale"},
    {"shift", "flow_shift"},
    {"sample_shift", "flow_shift"},
    {"width", "size"},
    {"height", "size"},
    {"scheduler", "sampler"},
    {"solver", "sampler"},
    {"text", "prompt"},
    {"caption", "prompt"},
    {"name", "id"},
}};

std::string_view last_part(std::string_view name) {
    return name.substr(name.rfind('.') + 1);
}

/// Insertions, deletions, replacements and swaps of neighbours that make one text of the other
/// (optimal string alignment).
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::vector<std::size_t>> table(a.size() + 1,
                                                std::vector<std::size_t>(b.size() + 1));
    for (std::size_t i = 0; i <= a.size(); ++i) {
        for (std::size_t j = 0; j <= b.size(); ++j) {
            if (i == 0 || j == 0) {
                table[i][j] = i + j;
                continue;
            }
            const std::size_t replaced = table[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            table[i][j] = std::min({table[i - 1][j] + 1, table[i][j - 1] + 1, replaced});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                table[i][j] = std::min(table[i][j], table[i - 2][j - 2] + 1);
            }
        }
    }
    return table[a.size()][b.size()];
}

std::string_view in_our_words(std::string_view name) {
    for (const auto& [foreign, ours] : foreign_names) {
        if (name == foreign) {
            return ours;
        }
    }
    return name;
}

}  // namespace

std::string suggestion(std::string_view name, const std::vector<std::string>& known) {
    const auto wanted = in_our_words(last_part(name));
    std::string_view best;
    std::size_t best_distance = std::max<std::size_t>(last_part(name).size() / 3, 1) + 1;
    for (const auto& candidate : known) {
        const auto distance = last_part(candidate) == wanted ? 0 : edit_distance(name, candidate);
        if (distance < best_distance) {
            best = candidate;
            best_distance = distance;
        }
    }
    return best.empty() ? std::string() : fmt::format("; did you mean '{}'?", best);
}

}  // namespace reelyard::jobs
