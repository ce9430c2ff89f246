#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "reelyard/base/file_system.hpp"

namespace reelyard::media {

/// One video of a contact sheet.
struct ContactRow {
    std::string id;
    std::string text;                            ///< the prompt, UTF-8
    std::optional<std::filesystem::path> video;  ///< file or folder of frames; nothing: it failed
    std::string note = {};  ///< a line below the text; for a failed one the reason, in place of its
                            ///< frames
};

/// Rows beyond this number are counted in a last line and not shown.
inline constexpr std::size_t max_contact_rows = 100;

/// Writes one PNG with a row per video: id, text and note, and beside them evenly spaced frames,
/// small videos enlarged by a whole factor and large ones reduced. A video that cannot be read gets
/// the reason in place of its frames. Text is drawn with the font files that REELYARD_FONT names
/// (separated by colons), or else with the usual ones of the machine; where there is none the sheet
/// has no text and a warning is logged.
/// \throws Error (resources when the disk is full, storage otherwise)
void write_contact_sheet(const std::filesystem::path& path,
                         const std::vector<ContactRow>& rows,
                         FileSystem& files = posix_file_system());

}  // namespace reelyard::media
