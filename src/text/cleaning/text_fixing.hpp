#pragma once

#include <string>

namespace reelyard::text {

/// ftfy.fix_text of ftfy 6.3.1 with its defaults.
[[nodiscard]] std::u32string fix_text(const std::u32string& text);

}  // namespace reelyard::text
