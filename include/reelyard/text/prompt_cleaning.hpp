#pragma once

#include <string>

namespace reelyard::text {

/// A prompt as the reference pipeline cleans it: ftfy.fix_text, HTML entities unescaped twice,
/// every run of white space one space, none at the ends. Case is kept. \param prompt UTF-8
[[nodiscard]] std::string clean_prompt(const std::string& prompt);

}  // namespace reelyard::text
