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

}  // namespace reelyard
