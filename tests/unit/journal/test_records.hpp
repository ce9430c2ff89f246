#pragma once

#include <string>

#include "reelyard/journal/record.hpp"

namespace reelyard::test {

inline Task make_task(const std::string& id) {
    return {.id = id,
            .prompt = "a red circle moving left, 猫 \"quoted\"\nsecond line",
            .negative_prompt = "",
            .seed = 18446744073709551615ULL,
            .size = {.width = 832, .height = 480, .frames = 81},
            .steps = 30,
            .guidance_scale = 5.5,
            .flow_shift = 3.0,
            .sampler = "unipc",
            .sigma_schedule = "official"};
}

inline journal::Maker make_maker() {
    return {.family = "wan",
            .checksum = "0123456789abcdef",
            .dtype = "bfloat16",
            .program = "reelyard 0.1.0"};
}

inline journal::Record make_record(const std::string& id) {
    const std::string file = "videos/" + id + ".mp4";
    return {.task = make_task(id),
            .result = {.id = id,
                       .state = TaskResult::State::done,
                       .reason = "",
                       .seconds = {{"denoise", 12.5}, {"decode", 0.25}},
                       .files = {{file, "00112233445566aa"}},
                       .bytes = {{file, 4096}},
                       .rank = 3},
            .maker = make_maker(),
            .time = "2026-01-31T12:00:00Z"};
}

inline journal::Record make_failure(const std::string& id, const std::string& reason) {
    auto record = make_record(id);
    record.result.state = TaskResult::State::failed;
    record.result.reason = reason;
    record.result.files.clear();
    record.result.bytes.clear();
    return record;
}

}  // namespace reelyard::test
