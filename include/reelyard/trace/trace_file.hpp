#pragma once

#include <cstdint>
#include <string>

#include "reelyard/trace/recorder.hpp"

/// The JSON object format of Chrome's trace events, which Perfetto, chrome://tracing and speedscope
/// open: beginning, the ranks' events with separators between them, end.
namespace reelyard::trace {

[[nodiscard]] std::string file_beginning();

/// Whose events they are, and from when time counts in the file.
struct Source {
    int rank = 0;
    std::string host;
    std::int64_t zero = 0;  ///< on the clock of the events
};

/// What a recorder holds. The rank is a process of the file, each row a thread.
[[nodiscard]] std::string to_text(const Recorder& recorder, const Source& source);

inline constexpr const char* separator = ",\n";

/// \param dropped events of all ranks that there was no room for
[[nodiscard]] std::string file_end(std::int64_t dropped);

}  // namespace reelyard::trace
