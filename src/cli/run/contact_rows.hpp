#pragma once

#include <string>
#include <vector>

#include "reelyard/journal/output_store.hpp"
#include "reelyard/media/contact_sheet.hpp"
#include "reelyard/spec/task.hpp"

namespace reelyard::cli {

/// A row per task in the order of the list: its video where it is done, its reason where it failed.
/// \param video name of the sink that wrote the videos
[[nodiscard]] std::vector<media::ContactRow> contact_rows(const std::vector<Task>& tasks,
                                                          const journal::OutputStore& outputs,
                                                          const std::string& video);

}  // namespace reelyard::cli
