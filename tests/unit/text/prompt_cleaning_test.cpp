#include "reelyard/text/prompt_cleaning.hpp"

#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "reelyard/base/error.hpp"

namespace reelyard::text {
namespace {

/// tests/parity/make_prompt_cleaning_fixtures.py asks Python for what is expected.
TEST(CleanPrompt, equals_the_reference_on_its_corpus) {
    std::ifstream file(REELYARD_FIXTURES "/text/prompt_cleaning.json");
    const nlohmann::json fixture = nlohmann::json::parse(file);

    ASSERT_GE(fixture.at("cases").size(), 400U);
    for (const nlohmann::json& one : fixture.at("cases")) {
        EXPECT_EQ(clean_prompt(one.at("prompt").get<std::string>()),
                  one.at("cleaned").get<std::string>())
            << "for " << one.at("prompt").dump(-1, ' ', true);
    }
}

TEST(CleanPrompt, makes_full_width_forms_ascii) {
    EXPECT_EQ(clean_prompt("色调艳丽，过曝，ＪＰＥＧ　残留"), "色调艳丽,过曝,JPEG 残留");
}

TEST(CleanPrompt, repairs_text_that_was_read_with_the_wrong_encoding) {
    EXPECT_EQ(clean_prompt("voilÃ\u00a0 le cafÃ© â€œnoirâ€\u009d"), "voilà le café \"noir\"");
}

TEST(CleanPrompt, refuses_bytes_that_are_not_utf8) {
    try {
        (void)clean_prompt("caf\xE9");
        FAIL() << "nothing thrown";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::input);
    }
}

}  // namespace
}  // namespace reelyard::text
