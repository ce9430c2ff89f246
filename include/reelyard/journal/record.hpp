#pragma once

#include <string>

#include "reelyard/spec/task.hpp"
#include "reelyard/spec/task_result.hpp"

namespace reelyard::journal {

/// What decides the pixels besides the task.
struct Maker {
    std::string family;    ///< "wan"
    std::string checksum;  ///< of the weight store
    std::string dtype;     ///< compute type: "float32", "bfloat16"
    std::string program;   ///< version of the program; two of them may differ in the last bits

    friend bool operator==(const Maker&, const Maker&) = default;
};

/// One line of the manifest: a task that is done or has failed. Its format is
/// docs/formats/manifest.md.
struct Record {
    Task task;
    TaskResult result;
    Maker maker;
    std::string time;  ///< when it was recorded: "2026-01-31T12:00:00Z"
};

/// Without a line end. Bytes that are no UTF-8 are replaced.
[[nodiscard]] std::string to_json(const Record& record);

/// \throws Error (input) saying what is missing or of a wrong kind; keys that are not known are
/// left out of account
[[nodiscard]] Record record_from_json(const std::string& line);

}  // namespace reelyard::journal
