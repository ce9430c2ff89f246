#include "messages.hpp"

#include <nlohmann/json.hpp>

namespace reelyard::dispatch {

std::string to_text(const Report& report) {
    nlohmann::json json{{"busy_seconds", report.busy_seconds},
                        {"wants_end", report.wants_end},
                        {"post", report.post}};
    if (report.result) {
        json["result"] = to_json(*report.result);
    }
    return json.dump();
}

Report report_from_text(const std::string& text) {
    const auto json = nlohmann::json::parse(text);
    Report report{.result = std::nullopt,
                  .busy_seconds = json.at("busy_seconds"),
                  .wants_end = json.at("wants_end"),
                  .post = json.at("post").get<Post>()};
    if (json.contains("result")) {
        report.result = task_result_from_json(json["result"]);
    }
    return report;
}

std::string to_text(const Order& order) {
    nlohmann::json json = nlohmann::json::object();
    if (order.task) {
        json["task"] = *order.task;
        json["is_begun"] = order.is_begun;
    }
    return json.dump();
}

Order order_from_text(const std::string& text) {
    const auto json = nlohmann::json::parse(text);
    return json.contains("task")
               ? Order{.task = json["task"].get<std::int64_t>(), .is_begun = json.at("is_begun")}
               : Order{};
}

}  // namespace reelyard::dispatch
