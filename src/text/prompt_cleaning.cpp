#include "reelyard/text/prompt_cleaning.hpp"

#include "cleaning/html_entities.hpp"
#include "cleaning/text_fixing.hpp"
#include "unicode.hpp"

namespace reelyard::text {

std::string clean_prompt(const std::string& prompt) {
    const std::u32string text = unescape_html(unescape_html(fix_text(to_utf32(prompt))));
    std::u32string cleaned;
    bool gap = false;
    for (const char32_t c : text) {
        if (is_python_space(c)) {
            gap = !cleaned.empty();
            continue;
        }
        if (gap) {
            cleaned.push_back(U' ');
            gap = false;
        }
        cleaned.push_back(c);
    }
    return to_utf8(cleaned);
}

}  // namespace reelyard::text
