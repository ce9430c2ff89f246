#include "reelyard/spec/model_spec.hpp"

#include <algorithm>

#include "reelyard/base/error.hpp"

namespace reelyard {

const ComponentSpec& ModelSpec::component(const std::string& name) const {
    const auto found = std::find_if(components.begin(),
                                    components.end(),
                                    [&](const ComponentSpec& c) { return c.name == name; });
    require(found != components.end(),
            ErrorKind::internal,
            "model '{}' has no component '{}'",
            family,
            name);
    return *found;
}

std::int64_t ModelSpec::tokens_of(const VideoSize& size) const {
    const std::int64_t frames = (size.frames - 1) / temporal_compression + 1;
    const std::int64_t rows = size.height / spatial_compression;
    const std::int64_t columns = size.width / spatial_compression;
    return frames * rows * columns / latent_per_token;
}

}  // namespace reelyard
