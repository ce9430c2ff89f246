#include "../../../src/cli/scale/scale_settings.hpp"

#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>

#include "reelyard/base/error.hpp"

namespace reelyard::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(ScaleSettings, passes_on_what_is_no_option_of_its_own_with_the_ranks_filled_in) {
    const ScaleSettings settings = parse_scale_settings({"job.ini",
                                                         "--ranks=1,2",
                                                         "--predict",
                                                         "16,32",
                                                         "--parallel.ulysses",
                                                         "{ranks}",
                                                         "--compute-factor=2.5",
                                                         "--quiet"});

    EXPECT_THAT(settings.ranks, ElementsAre(1, 2));
    EXPECT_THAT(settings.predict, ElementsAre(16, 32));
    EXPECT_EQ(settings.compute_factor, 2.5);
    EXPECT_THAT(settings.arguments_of_run(16),
                ElementsAre("job.ini", "--parallel.ulysses", "16", "--quiet"));
}

TEST(ScaleSettings, refuses_bad_options_and_says_what_was_expected) {
    const std::vector<std::pair<std::vector<std::string>, std::string>> refusals{
        {{"--ranks=1"}, "no job file"},
        {{"job.ini"}, "--ranks is '' (expected ascending numbers"},
        {{"job.ini", "--ranks=0"}, "--ranks is '0'"},
        {{"job.ini", "--ranks=2,1"}, "--ranks is '2,1'"},
        {{"job.ini", "--ranks=1,x"}, "--ranks is '1,x'"},
        {{"job.ini", "--ranks=1,,2"}, "--ranks is '1,,2'"},
        {{"job.ini", "--ranks=1", "--launcher=mpirun"}, "{ranks} in it"},
        {{"job.ini", "--ranks=1", "--predict=4,2"}, "--predict is '4,2'"},
        {{"job.ini", "--ranks=1", "--predict="}, "'--predict'"},
        {{"job.ini", "--ranks=1", "--predict=1,2"}, "1 is in --ranks and in --predict"},
        {{"job.ini", "--ranks=1", "--predict=100000"}, "at most 4096"},
        {{"job.ini", "--ranks=1", "--topology=any.json"},
         "--topology is given, but nothing is to be predicted"},
        {{"job.ini", "--ranks=1", "--ranks-per-node=4"}, "--ranks-per-node is given"},
        {{"job.ini", "--ranks=1", "--compute-factor=4"}, "--compute-factor is given"},
        {{"job.ini", "--ranks=1", "--predict=2", "--ranks-per-node=0"}, "--ranks-per-node is 0"},
        {{"job.ini", "--ranks=1", "--predict=2", "--compute-factor=0"}, "--compute-factor is 0"},
        {{"job.ini", "--ranks=1", "--predict=2", "--compute-factor=inf"},
         "--compute-factor is inf"}};
    for (const auto& [arguments, message] : refusals) {
        try {
            (void)parse_scale_settings(arguments);
            ADD_FAILURE() << "not refused: " << message;
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::usage);
            EXPECT_THAT(error.message(), HasSubstr(message));
        }
    }
}

TEST(ScaleSettings, help_needs_nothing_else) {
    EXPECT_TRUE(parse_scale_settings({"--help"}).help);
    EXPECT_THAT(scale_settings_help(), HasSubstr("--predict"));
}

}  // namespace
}  // namespace reelyard::cli
