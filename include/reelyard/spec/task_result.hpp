#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace reelyard {

/// What became of a task on the rank that ran it.
struct TaskResult {
    enum class State {
        done,
        failed,
        stopped,
        begun,  ///< only its second half is left, which other ranks may do
    };

    std::string id;
    State state = State::failed;
    std::string reason = {};                     ///< why it failed; empty otherwise
    std::map<std::string, double> seconds = {};  ///< by stage: "denoise", "decode"
    std::map<std::string, std::string> files =
        {};  ///< path below the output folder -> checksum (hex)
    std::map<std::string, std::int64_t> bytes = {};  ///< path below the output folder -> size
    int rank = 0;
};

/// One line of JSON; the inverse is task_result_from_json().
[[nodiscard]] std::string to_json(const TaskResult& result);
[[nodiscard]] TaskResult task_result_from_json(const std::string& text);

}  // namespace reelyard
