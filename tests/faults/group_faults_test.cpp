#include "fault_test.hpp"

// One of the ranks that make a video together is struck while the others wait for it.
namespace reelyard::cli {
namespace {

using parity::Outcome;
using testing::AllOf;
using testing::AnyOf;
using testing::HasSubstr;
using testing::IsEmpty;

const std::vector<std::string> splits{"ring", "ulysses", "tensor"};

class GroupFaults : public FaultTest {
protected:
    /// A job in which rank 1 meets a fault when it begins to denoise.
    [[nodiscard]] static Trial struck(const std::string& split, const std::string& fault) {
        return {
            .ranks = 2,
            .options = {"--parallel." + split + "=2", "--parallel.timeout=2"},
            .faults = {
                {"FAULTY_FILE", "/conditioning/"}, {"FAULTY_RANK", "1"}, {"FAULTY_READS", fault}}};
    }
};

TEST_F(GroupFaults, a_rank_that_hangs_is_named_and_the_job_ends) {
    for (const std::string& split : splits) {
        SCOPED_TRACE(split);

        const Outcome failed = run(struck(split, "stop"));

        EXPECT_EQ(failed.exit_code, 6) << failed.output;
        EXPECT_EQ(count_errors(failed), 1) << failed.output;
        EXPECT_THAT(failed.output, HasSubstr("no answer from rank 1 for 2.0 s"));
        EXPECT_THAT(videos(), IsEmpty());
    }
}

TEST_F(GroupFaults, a_rank_that_fails_says_why_and_the_job_ends) {
    for (const std::string& split : splits) {
        SCOPED_TRACE(split);

        const Outcome failed = run(struck(split, "fail"));

        EXPECT_EQ(failed.exit_code, 6) << failed.output;
        EXPECT_EQ(count_errors(failed), 1) << failed.output;
        EXPECT_THAT(failed.output,
                    AllOf(HasSubstr("rank 1 of the 2 ranks that make 'a'"),
                          HasSubstr("Input/output error")));
        EXPECT_THAT(videos(), IsEmpty());
    }
}

TEST_F(GroupFaults, a_rank_that_is_killed_ends_the_job) {
    const Outcome failed = run(struck("ring", "kill"));

    EXPECT_THAT(failed.exit_code, AnyOf(6, 137)) << failed.output;
    EXPECT_THAT(videos(), IsEmpty());
}

/// Both ranks encode every text, or texts of their own with weights that they share; rank 0 cannot
/// keep its first one.
const std::vector<std::vector<std::string>> together_on_texts{
    {"--parallel.tensor=2"}, {"--parallel.ring=2", "--parallel.shard_weights=true"}};

TEST_F(GroupFaults, a_text_that_cannot_be_kept_ends_the_job_with_one_message) {
    write_prompts({"a", "b", "c", "d"});
    for (const auto& options : together_on_texts) {
        SCOPED_TRACE(options.front());

        const Outcome failed = run({.ranks = 2,
                                    .options = options,
                                    .faults = {{"FAULTY_FILE", "/conditioning/"},
                                               {"FAULTY_RANK", "0"},
                                               {"FAULTY_OPEN", "full"}}});

        EXPECT_EQ(failed.exit_code, 4) << failed.output;
        EXPECT_EQ(count_errors(failed), 1) << failed.output;
        EXPECT_THAT(failed.output,
                    AllOf(HasSubstr("/conditioning/"), HasSubstr("encoding the text 'a red")));
        EXPECT_THAT(videos(), IsEmpty());
    }
}

TEST_F(GroupFaults, a_rank_that_hangs_while_texts_are_encoded_is_named) {
    write_prompts({"a", "b", "c", "d"});
    for (std::vector<std::string> options : together_on_texts) {
        SCOPED_TRACE(options.front());
        options.emplace_back("--parallel.timeout=2");

        const Outcome failed = run({.ranks = 2,
                                    .options = options,
                                    .faults = {{"FAULTY_FILE", "/conditioning/"},
                                               {"FAULTY_RANK", "0"},
                                               {"FAULTY_OPEN", "stop"}}});

        EXPECT_EQ(failed.exit_code, 6) << failed.output;
        EXPECT_EQ(count_errors(failed), 1) << failed.output;
        EXPECT_THAT(failed.output, HasSubstr("no answer from rank 0 for 2.0 s"));
    }
}

TEST_F(GroupFaults, after_a_fault_the_same_command_makes_what_is_missing) {
    const auto expected = videos_without_faults();
    const Outcome failed = run(struck("ring", "fail"));
    ASSERT_NE(failed.exit_code, 0);

    const Outcome made = go_on({.ranks = 2, .options = {"--parallel.ulysses=2"}});

    EXPECT_EQ(made.exit_code, 0) << made.output;
    EXPECT_EQ(videos().size(), expected.size());
}

}  // namespace
}  // namespace reelyard::cli
