#pragma once

#include <string>

namespace reelyard::text {

/// A prompt as the reference pipeline cleans it: ftfy.fix_text of ftfy 6.3.1 with its defaults,
/// HTML entities unescaped twice, every run of white space one space, none at the ends. Case is
/// kept.
///
/// All of fix_text is there: entities (but not in a text with a "<"), misread encodings undone
/// (Latin-1, Windows-1250 to 1254 and 1257, ISO 8859-2, MacRoman, code page 437, with lost bytes
/// and parts of a text), C1 controls, ligatures, full-width forms, quotes, line breaks, terminal
/// escapes, controls, NFC. Characters of Unicode 15 that Python's own tables (14 in Python 3.11) do
/// not have yet are the one known difference; surrogates cannot occur in UTF-8. \param prompt UTF-8
/// \throws Error (input) when it is not
[[nodiscard]] std::string clean_prompt(const std::string& prompt);

}  // namespace reelyard::text
