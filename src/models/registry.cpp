#include <algorithm>
#include <vector>

#include "reelyard/base/error.hpp"
#include "reelyard/models/model_family.hpp"

#include "config_file.hpp"
#include "wan/family.hpp"

namespace reelyard::models {
namespace {

/// All families, one line each.
const std::vector<ModelFamily>& families() {
    static const std::vector<ModelFamily> all{
        wan::make_family(),
    };
    return all;
}

}  // namespace

const ModelFamily& family_of(const CheckpointConfig& config) {
    const auto found =
        std::find_if(families().begin(), families().end(), [&](const ModelFamily& family) {
            return family.recognise(config);
        });
    if (found == families().end()) {
        ConfigFile(config, "model_index.json").refuse("_class_name", "WanPipeline");
    }
    return *found;
}

}  // namespace reelyard::models
