#include "model_limits.hpp"

#include <algorithm>

#include "reelyard/base/format.hpp"

namespace reelyard::jobs {
namespace {

/// The values offset + k * step that are allowed, from `least` to `most`, next to `value`.
struct Neighbours {
    std::int64_t nearest = 0;
    std::int64_t other = 0;  ///< on the other side; equal to `nearest` where there is none
};

struct Raster {
    std::int64_t offset = 0;
    std::int64_t step = 1;
    std::int64_t least = 0;
    std::int64_t most = 0;

    [[nodiscard]] bool contains(std::int64_t value) const {
        return value >= least && value <= most && (value - offset) % step == 0;
    }

    [[nodiscard]] Neighbours around(std::int64_t value) const {
        const auto inside = std::clamp(value, least, most);
        const auto below = offset + (inside - offset) / step * step;
        const auto above = std::min(below + (below == inside ? 0 : step), most);
        const bool up = above - inside <= inside - below;
        return up ? Neighbours{above, below} : Neighbours{below, above};
    }
};

std::string size_problem(const PixelSize& size, const ModelSpec& model) {
    const auto multiple = model.size_multiple;
    const Raster raster{
        .offset = 0, .step = multiple, .least = multiple, .most = multiple * model.max_grid};
    if (raster.contains(size.width) && raster.contains(size.height)) {
        return {};
    }
    const auto width = raster.around(size.width);
    const auto height = raster.around(size.height);
    auto advice = fmt::format("try {}x{}", width.nearest, height.nearest);
    if (width.other != width.nearest || height.other != height.nearest) {
        advice += fmt::format(" or {}x{}", width.other, height.other);
    }
    return fmt::format("'size' is {}x{} (expected multiples of {}, at most {}); {}",
                       size.width,
                       size.height,
                       multiple,
                       raster.most,
                       advice);
}

std::string frames_problem(std::int64_t frames, const ModelSpec& model) {
    const auto step = model.temporal_compression;
    const Raster raster{
        .offset = 1, .step = step, .least = 1, .most = step * (model.max_grid - 1) + 1};
    if (raster.contains(frames)) {
        return {};
    }
    const auto near = raster.around(frames);
    const auto advice = near.nearest == near.other
                            ? fmt::format("try {}", near.nearest)
                            : fmt::format("try {} or {}",
                                          std::min(near.nearest, near.other),
                                          std::max(near.nearest, near.other));
    return fmt::format(
        "'frames' is {} (expected {}k+1, at most {}); {}", frames, step, raster.most, advice);
}

}  // namespace

std::vector<std::pair<std::string, std::string>> model_problems(const GenerationSettings& settings,
                                                                const ModelSpec& model) {
    std::vector<std::pair<std::string, std::string>> problems;
    if (settings.size) {
        problems.emplace_back("size", size_problem(*settings.size, model));
    }
    if (settings.frames) {
        problems.emplace_back("frames", frames_problem(*settings.frames, model));
    }
    std::erase_if(problems, [](const auto& problem) { return problem.second.empty(); });
    return problems;
}

}  // namespace reelyard::jobs
