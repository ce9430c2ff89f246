#pragma once

#include <string>
#include <vector>

#include "reelyard/spec/model_spec.hpp"

namespace reelyard::cli {

/// Names of published models that can be planned for without their weights.
[[nodiscard]] std::vector<std::string> known_model_names();

/// \param name one of known_model_names() \returns the model as its published configs describe it
[[nodiscard]] ModelSpec known_model(const std::string& name);

}  // namespace reelyard::cli
