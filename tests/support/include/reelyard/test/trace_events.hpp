#pragma once

#include <string_view>
#include <vector>

#include "reelyard/trace/recorder.hpp"

namespace reelyard::test {

/// Those whose names begin so, in the order of their beginnings.
inline std::vector<trace::Event> events_named(const trace::Recorder& recorder,
                                              std::string_view name) {
    std::vector<trace::Event> found;
    for (const trace::Event& event : recorder.events()) {
        if (event.name.starts_with(name)) {
            found.push_back(event);
        }
    }
    return found;
}

}  // namespace reelyard::test
