#pragma once

#include <string>
#include <string_view>

namespace reelyard::text {

/// Character references replaced as Python's html.unescape does: HTML 5 names (the longest one that
/// fits where the semicolon is missing), decimal and hexadecimal numbers.
[[nodiscard]] std::u32string unescape_html(std::u32string_view text);

/// The careful version of ftfy: only references with a semicolon, and some names in capitals that
/// HTML does not have ("&NTILDE;").
[[nodiscard]] std::u32string unescape_complete_entities(std::u32string_view text);

}  // namespace reelyard::text
