#include "../../../src/cli/bench/comm/comm_settings.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "reelyard/base/bytes.hpp"
#include "reelyard/base/error.hpp"

namespace reelyard::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct Refusal {
    std::vector<std::string> arguments;
    std::string message;
};

TEST(CommSettings, refuses_bad_options_and_says_what_was_expected) {
    const std::vector<Refusal> refusals{
        {{"stray"}, "bench comm: "},
        {{"--sizes=big"}, "--sizes has 'big' (expected sizes such as 4KiB,1MiB"},
        {{"--sizes=4KiB,,1MiB"}, "--sizes has ''"},
        {{"--sizes=6"}, "each a multiple of the 4 bytes of an element"},
        {{"--dtype=float16"}, "--dtype is 'float16' (expected float32 or bfloat16)"},
        {{"--group=3"}, "--group is 3 with 4 ranks (expected a divisor"},
        {{"--group=0"}, "--group is 0 with 4 ranks (expected a divisor"},
        {{"--repetitions=0"}, "--repetitions is 0 (expected 1 or more)"},
        {{"--timeout=0"}, "--timeout is 0 (expected more than 0 seconds)"},
        {{"--backend=pigeon"}, "--backend is 'pigeon' (expected one of: auto, mpi, nccl)"},
    };
    for (const Refusal& refusal : refusals) {
        try {
            (void)parse_comm_settings(refusal.arguments, 4);
            ADD_FAILURE() << "not refused: " << refusal.arguments.front();
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::usage);
            EXPECT_THAT(error.message(), HasSubstr(refusal.message));
        }
    }
}

TEST(CommSettings, sizes_are_ascending_and_each_there_once) {
    EXPECT_THAT(parse_comm_settings({"--sizes=1MiB,4KiB,1MiB"}, 4).sizes,
                ElementsAre(4 * kibibyte, mebibyte));
    EXPECT_THAT(parse_comm_settings({}, 4).sizes,
                ElementsAre(4 * kibibyte,
                            16 * kibibyte,
                            64 * kibibyte,
                            256 * kibibyte,
                            mebibyte,
                            4 * mebibyte,
                            16 * mebibyte,
                            64 * mebibyte));
}

TEST(CommSettings, all_ranks_are_a_group_unless_said_otherwise) {
    EXPECT_EQ(parse_comm_settings({}, 6).group, 6);
    EXPECT_EQ(parse_comm_settings({"--group=3"}, 6).group, 3);
}

}  // namespace
}  // namespace reelyard::cli
