#include "reelyard/journal/record.hpp"

#include <string_view>

#include <nlohmann/json.hpp>

#include "reelyard/base/error.hpp"

namespace reelyard::journal {
namespace {

using Json = nlohmann::json;

constexpr int schema = 1;

constexpr std::string_view done = "done";
constexpr std::string_view failed = "failed";

Json files_to_json(const TaskResult& result) {
    Json files = Json::object();
    for (const auto& [path, checksum] : result.files) {
        files[path] = {{"bytes", result.bytes.at(path)}, {"checksum", checksum}};
    }
    return files;
}

TaskResult::State to_state(const std::string& text) {
    require(text == done || text == failed,
            ErrorKind::input,
            "'state' is '{}' (expected '{}' or '{}')",
            text,
            done,
            failed);
    return text == done ? TaskResult::State::done : TaskResult::State::failed;
}

TaskResult result_from_json(const Json& json) {
    TaskResult result{
        .id = json.at("id"),
        .state = to_state(json.at("state")),
        .reason = json.at("reason"),
        .seconds = json.at("seconds"),
        .rank = json.at("rank"),
    };
    for (const auto& [path, file] : json.at("files").items()) {
        result.bytes[path] = file.at("bytes");
        result.files[path] = file.at("checksum");
    }
    return result;
}

Record parse(const std::string& line) {
    const Json json = Json::parse(line);
    require(json.is_object(), ErrorKind::input, "is no JSON object");
    const int found = json.at("schema");
    require(
        found == schema, ErrorKind::input, "'schema' is {} (this program reads {})", found, schema);
    const Json& model = json.at("model");
    return {
        .task = task_from_json(line),
        .result = result_from_json(json),
        .maker = {.family = model.at("family"),
                  .checksum = model.at("checksum"),
                  .dtype = model.at("dtype"),
                  .program = json.at("program")},
        .time = json.at("time"),
    };
}

/// Without the tag in brackets that the JSON library begins its messages with.
std::string_view message_of(const Json::exception& error) {
    const std::string_view text = error.what();
    const auto end = text.find("] ");
    return end == std::string_view::npos ? text : text.substr(end + 2);
}

}  // namespace

std::string to_json(const Record& record) {
    REELYARD_EXPECT(record.result.state != TaskResult::State::stopped);
    REELYARD_EXPECT(record.result.id == record.task.id);
    Json json = Json::parse(to_json(record.task));
    json["schema"] = schema;
    json["state"] = record.result.state == TaskResult::State::done ? done : failed;
    json["reason"] = record.result.reason;
    json["seconds"] = record.result.seconds;
    json["files"] = files_to_json(record.result);
    json["rank"] = record.result.rank;
    json["model"] = {{"family", record.maker.family},
                     {"checksum", record.maker.checksum},
                     {"dtype", record.maker.dtype}};
    json["program"] = record.maker.program;
    json["time"] = record.time;
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Record record_from_json(const std::string& line) {
    try {
        return parse(line);
    } catch (const Json::exception& error) {
        fail(ErrorKind::input, "is no record: {}", message_of(error));
    } catch (const Error& error) {
        // A task that cannot be read is the file's fault here, not the program's.
        fail(ErrorKind::input, "is no record: {}", error.message());
    }
}

}  // namespace reelyard::journal
