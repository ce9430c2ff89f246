#include "reelyard/journal/record.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "reelyard/base/error.hpp"

#include "test_records.hpp"

namespace reelyard::journal {
namespace {

using Json = nlohmann::json;

TEST(Record, is_one_line_with_the_documented_keys) {
    const std::string line = to_json(test::make_record("cat-001"));

    EXPECT_THAT(line, testing::Not(testing::HasSubstr("\n")));
    // Written out by hand from docs/formats/manifest.md.
    EXPECT_EQ(Json::parse(line), Json::parse(R"({
        "schema": 1, "id": "cat-001", "state": "done", "reason": "",
        "time": "2026-01-31T12:00:00Z",
        "prompt": "a red circle moving left, 猫 \"quoted\"\nsecond line",
        "negative_prompt": "", "seed": 18446744073709551615,
        "width": 832, "height": 480, "frames": 81,
        "steps": 30, "guidance_scale": 5.5, "flow_shift": 3.0,
        "sampler": "unipc", "sigma_schedule": "official",
        "model": {"family": "wan", "checksum": "0123456789abcdef", "dtype": "bfloat16"},
        "program": "reelyard 0.1.0",
        "seconds": {"denoise": 12.5, "decode": 0.25},
        "files": {"videos/cat-001.mp4": {"bytes": 4096, "checksum": "00112233445566aa"}},
        "rank": 3})"));
}

TEST(Record, comes_back_as_it_was) {
    for (const auto& record :
         {test::make_record("a"), test::make_failure("b", "ran out of memory")}) {
        const Record read = record_from_json(to_json(record));

        EXPECT_EQ(read.task, record.task);
        EXPECT_EQ(read.result.id, record.result.id);
        EXPECT_EQ(read.result.state, record.result.state);
        EXPECT_EQ(read.result.reason, record.result.reason);
        EXPECT_EQ(read.result.seconds, record.result.seconds);
        EXPECT_EQ(read.result.files, record.result.files);
        EXPECT_EQ(read.result.bytes, record.result.bytes);
        EXPECT_EQ(read.result.rank, record.result.rank);
        EXPECT_EQ(read.maker, record.maker);
        EXPECT_EQ(read.time, record.time);
    }
}

TEST(Record, unknown_keys_are_left_out_of_account) {
    Json json = Json::parse(to_json(test::make_record("a")));
    json["colour"] = {{"deep", {1, 2}}};
    json["model"]["nickname"] = "x";

    EXPECT_EQ(record_from_json(json.dump()).task, test::make_task("a"));
}

TEST(Record, a_reason_that_is_no_utf8_does_not_break_the_line) {
    const auto record = test::make_failure("a", "bad byte \xFF here");

    EXPECT_EQ(record_from_json(to_json(record)).result.reason, "bad byte \uFFFD here");
}

TEST(Record, says_what_is_wrong) {
    const Json good = Json::parse(to_json(test::make_record("a")));
    const auto expect_refused = [](const Json& json, const std::string& part) {
        try {
            static_cast<void>(record_from_json(json.dump()));
            FAIL() << "was read: " << json.dump();
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::input);
            EXPECT_THAT(error.what(), testing::HasSubstr(part));
        }
    };

    expect_refused(Json(7), "no JSON object");
    for (const char* key : {"schema", "id", "state", "steps", "files", "model", "time"}) {
        Json json = good;
        json.erase(key);
        expect_refused(json, std::string("key '") + key + "' not found");
    }
    Json newer = good;
    newer["schema"] = 2;
    expect_refused(newer, "'schema' is 2 (this program reads 1)");
    Json state = good;
    state["state"] = "maybe";
    expect_refused(state, "'state' is 'maybe'");
    Json type = good;
    type["steps"] = "thirty";
    expect_refused(type, "type must be number");
}

}  // namespace
}  // namespace reelyard::journal
