#include "reelyard/spec/checkpoint_config.hpp"

#include "reelyard/base/error.hpp"

namespace reelyard {

const std::string& file_content(const CheckpointConfig& config, const std::string& path) {
    const auto found = config.files.find(path);
    require(
        found != config.files.end(), ErrorKind::input, "{}: the checkpoint has no such file", path);
    return found->second;
}

}  // namespace reelyard
