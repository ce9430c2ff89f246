#include "reelyard/spec/task_result.hpp"

#include <nlohmann/json.hpp>

#include "reelyard/base/error.hpp"

namespace reelyard {

NLOHMANN_JSON_SERIALIZE_ENUM(TaskResult::State,
                             {{TaskResult::State::failed, "failed"},
                              {TaskResult::State::done, "done"},
                              {TaskResult::State::stopped, "stopped"},
                              {TaskResult::State::begun, "begun"}})

std::string to_json(const TaskResult& result) {
    const nlohmann::json json{
        {"id", result.id},
        {"state", result.state},
        {"reason", result.reason},
        {"seconds", result.seconds},
        {"files", result.files},
        {"bytes", result.bytes},
        {"rank", result.rank},
    };
    // A reason may come from a library and hold bytes that are no UTF-8.
    return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

TaskResult task_result_from_json(const std::string& text) {
    try {
        const auto json = nlohmann::json::parse(text);
        return TaskResult{
            .id = json.at("id"),
            .state = json.at("state").get<TaskResult::State>(),
            .reason = json.at("reason"),
            .seconds = json.at("seconds"),
            .files = json.at("files"),
            .bytes = json.at("bytes"),
            .rank = json.at("rank"),
        };
    } catch (const nlohmann::json::exception& error) {
        fail(ErrorKind::internal, "a result cannot be read back: {}", error.what());
    }
}

}  // namespace reelyard
