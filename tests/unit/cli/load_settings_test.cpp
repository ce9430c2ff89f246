#include "../../../src/cli/bench/load/load_settings.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "reelyard/base/bytes.hpp"
#include "reelyard/base/error.hpp"

#include "../../../src/cli/bench/size_text.hpp"

namespace reelyard::cli {
namespace {

using testing::HasSubstr;

struct Refusal {
    std::vector<std::string> arguments;  // besides --store
    std::string message;
};

TEST(LoadSettings, refuses_bad_options_and_says_what_was_expected) {
    const std::vector<Refusal> refusals{
        {{"stray"}, "bench load: "},
        {{"--unknown=1"}, "unknown"},
        {{"--strategy=all"}, "--strategy is 'all' (expected once or everyone)"},
        {{"--transport=pigeon"}, "--transport is 'pigeon' (expected auto"},
        {{"--dtype=int4"}, "--dtype is 'int4' (expected stored"},
        {{"--verify=maybe"}, "--verify is 'maybe' (expected true or false)"},
        {{"--repetitions=0"}, "--repetitions is 0 (expected 1 or more)"},
        {{"--repetitions=many"}, "repetitions"},
        {{"--ranks-per-node=-1"}, "--ranks-per-node is -1 (expected 0 or more)"},
        {{"--piece=1000"}, "--piece is 1000 (expected a multiple of 4.00 KiB"},
        {{"--piece=2GiB"}, "--piece is 2GiB (expected a multiple"},
        {{"--piece=much"}, "--piece is 'much' (expected a size"},
        {{"--synthesize=4 GB"}, "--synthesize is '4 GB' (expected a size"},
        {{"--synthesize=1MiB"}, "--synthesize is 1MiB (expected 16.0 MiB or more)"},
        {{"--tensor-parallel=3"}, "--tensor-parallel is 3 with 4 ranks (expected a divisor"},
        {{"--weight-shards=0"}, "--weight-shards is 0 with 4 ranks (expected a divisor"},
        {{"--tensor-parallel=2", "--weight-shards=2"}, "both given (expected one)"},
    };
    for (Refusal refusal : refusals) {
        refusal.arguments.emplace_back("--store=m.h5");
        try {
            static_cast<void>(parse_load_settings(refusal.arguments, 4));
            ADD_FAILURE() << "accepted, though: " << refusal.message;
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::usage);
            EXPECT_THAT(error.message(), HasSubstr(refusal.message));
        }
    }
}

TEST(LoadSettings, refuses_what_would_have_no_effect_when_everyone_reads) {
    for (const char* option : {"--transport=direct",
                               "--dtype=float32",
                               "--tensor-parallel=2",
                               "--weight-shards=2",
                               "--private",
                               "--ranks-per-node=1",
                               "--verify=false",
                               "--piece=1MiB"}) {
        try {
            static_cast<void>(
                parse_load_settings({"--store=m.h5", "--strategy=everyone", option}, 4));
            ADD_FAILURE() << option << " was accepted";
        } catch (const Error& error) {
            EXPECT_THAT(error.message(), HasSubstr("goes with --strategy once"));
        }
    }
}

TEST(LoadSettings, a_store_must_be_named) {
    EXPECT_THROW(static_cast<void>(parse_load_settings({"--json"}, 1)), Error);
    EXPECT_TRUE(parse_load_settings({"--help"}, 1).help);
}

TEST(LoadSettings, sizes_have_binary_units) {
    EXPECT_EQ(bytes_from_string("65536"), 65536);
    EXPECT_EQ(bytes_from_string("64 KiB"), 64 * kibibyte);
    EXPECT_EQ(bytes_from_string("1.5MiB"), 3 * mebibyte / 2);
    EXPECT_EQ(bytes_from_string("4GiB"), 4 * gibibyte);
    for (const char* text :
         {"", "GiB", "0", "-1MiB", "1.5", "4GB", "4 GiB ", "nan", "inf", "1e300GiB"}) {
        EXPECT_FALSE(bytes_from_string(text)) << text;
    }
}

}  // namespace
}  // namespace reelyard::cli
