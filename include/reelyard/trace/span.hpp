#pragma once

#include <cstdint>
#include <string_view>

#include "reelyard/trace/recorder.hpp"

namespace reelyard::trace {

/// What a rank computes while this object lives. Those of one recorder are made and destroyed like
/// nested blocks of code.
class Span {
public:
    /// \param recorder outlives this; none: nothing is recorded, and nothing else is done
    Span(Recorder* recorder, std::string_view name) : recorder_(recorder) {
        if (recorder_ != nullptr) {
            begin(name);
        }
    }
    /// One of many, "block 3".
    Span(Recorder* recorder, std::string_view name, std::int64_t number) : recorder_(recorder) {
        if (recorder_ != nullptr) {
            begin(name, number);
        }
    }
    /// One with a name of its own, "task prompt-0001".
    Span(Recorder* recorder, std::string_view name, std::string_view which) : recorder_(recorder) {
        if (recorder_ != nullptr) {
            begin(name, which);
        }
    }
    Span(const Span&) = delete;
    Span& operator=(const Span&) = delete;
    ~Span() {
        if (recorder_ != nullptr) {
            end();
        }
    }

private:
    void begin(std::string_view name);
    void begin(std::string_view name, std::int64_t number);
    void begin(std::string_view name, std::string_view which);
    void end();

    Recorder* recorder_;
    Recorder::Slot slot_ = Recorder::no_slot;
};

}  // namespace reelyard::trace
