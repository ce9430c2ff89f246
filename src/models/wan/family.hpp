#pragma once

#include "reelyard/models/model_family.hpp"

namespace reelyard::models::wan {

/// Wan2.1 text-to-video, from a checkpoint in the layout of diffusers' WanPipeline.
[[nodiscard]] ModelFamily make_family();

}  // namespace reelyard::models::wan
