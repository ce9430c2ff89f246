#include "reelyard/media/sink_registry.hpp"

#include <algorithm>
#include <array>

#include "reelyard/base/error.hpp"

#include "mp4_sink.hpp"
#include "png_image.hpp"
#include "png_sink.hpp"

namespace reelyard::media {
namespace {

struct SinkEntry {
    std::string_view name;
    std::unique_ptr<FrameSink> (*make)(const SinkOptions& options, FileSystem& files);
    std::filesystem::path (*output)(const std::string& id);
    void (*check_encoder)();
};

constexpr std::array sinks{
    SinkEntry{"mp4", make_mp4_sink, mp4_output, check_mp4_encoder},
    SinkEntry{"png", make_png_sink, png_output, check_png_encoder},
};

const SinkEntry& find_sink(std::string_view name) {
    const auto* const found = std::find_if(
        sinks.begin(), sinks.end(), [&](const SinkEntry& sink) { return sink.name == name; });
    require(found != sinks.end(),
            ErrorKind::usage,
            "output.video: is '{}' (expected one of: {})",
            name,
            fmt::join(sink_names(), ", "));
    return *found;
}

}  // namespace

std::unique_ptr<FrameSink> make_sink(std::string_view name,
                                     const SinkOptions& options,
                                     FileSystem& files) {
    const SinkEntry& sink = find_sink(name);
    require(options.width > 0 && options.height > 0,
            ErrorKind::input,
            "size: is {}x{} (expected positive numbers)",
            options.width,
            options.height);
    return sink.make(options, files);
}

std::vector<std::string> sink_names() {
    std::vector<std::string> names;
    names.reserve(sinks.size());
    for (const SinkEntry& sink : sinks) {
        names.emplace_back(sink.name);
    }
    return names;
}

std::filesystem::path sink_output(std::string_view name, const std::string& id) {
    return find_sink(name).output(id);
}

void check_sink(std::string_view name) {
    find_sink(name).check_encoder();
}

}  // namespace reelyard::media
