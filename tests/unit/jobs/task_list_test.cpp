#include "reelyard/jobs/task_list.hpp"

#include <set>

#include <gmock/gmock.h>

#include "job_files.hpp"

namespace reelyard::jobs {
namespace {

using testing::HasSubstr;

class TaskListTest : public JobFiles {
protected:
    std::vector<Task> make(std::string_view jsonl,
                           const std::string& generate = "",
                           const std::vector<std::string>& options = {}) {
        std::vector<std::string> arguments{
            write("job.ini",
                  "[model]\nstore = m.h5\n[prompts]\nfile = p.jsonl\n[generate]\n" + generate)
                .string()};
        arguments.insert(arguments.end(), options.begin(), options.end());
        const auto job = read_job(arguments, known_names);
        write("p.jsonl", jsonl);
        return make_tasks(read_prompt_list(job.prompts, known_names), job, model_, known_names);
    }
    std::string refusal(std::string_view jsonl,
                        const std::string& generate = "",
                        const std::vector<std::string>& options = {}) {
        return message_of([&] { make(jsonl, generate, options); });
    }

    ModelSpec model_{.family = "wan",
                     .components = {},
                     .defaults = {.negative_prompt = "ugly",
                                  .width = 832,
                                  .height = 480,
                                  .frames = 81,
                                  .steps = 50,
                                  .guidance_scale = 5.0,
                                  .flow_shift = 5.0}};
};

TEST_F(TaskListTest, takes_what_nobody_says_from_the_model) {
    const auto tasks = make(R"({"id": "a", "prompt": "a cat"})");

    ASSERT_EQ(tasks.size(), 1u);
    EXPECT_EQ(tasks[0],
              (Task{.id = "a",
                    .prompt = "a cat",
                    .negative_prompt = "ugly",
                    .seed = derive_seed(42, "a"),
                    .size = {832, 480, 81},
                    .steps = 50,
                    .guidance_scale = 5.0,
                    .flow_shift = 5.0,
                    .sampler = "unipc",
                    .sigma_schedule = "official"}));
}

TEST_F(TaskListTest, goes_by_command_line_then_prompt_then_job_file) {
    const auto tasks = make(
        "{\"id\": \"a\", \"prompt\": \"x\", \"steps\": 20, \"frames\": 9}\n"
        "{\"id\": \"b\", \"prompt\": \"x\", \"negative_prompt\": \"\"}\n",
        "steps = 30\nframes = 5\nsize = 64x48\nsampler = euler\n",
        {"--generate.steps", "10"});

    ASSERT_EQ(tasks.size(), 2u);
    EXPECT_EQ(tasks[0].steps, 10);
    EXPECT_EQ(tasks[0].size, (VideoSize{64, 48, 9}));
    EXPECT_EQ(tasks[0].negative_prompt, "ugly");
    EXPECT_EQ(tasks[1].steps, 10);
    EXPECT_EQ(tasks[1].size, (VideoSize{64, 48, 5}));
    EXPECT_EQ(tasks[1].sampler, "euler");
    EXPECT_EQ(tasks[1].negative_prompt, "");
}

TEST_F(TaskListTest, keeps_the_order_of_the_list) {
    const auto tasks = make(
        "{\"id\": \"z\", \"prompt\": \"x\", \"frames\": 1}\n"
        "{\"id\": \"a\", \"prompt\": \"x\"}\n"
        "{\"id\": \"m\", \"prompt\": \"x\", \"frames\": 5}\n");

    ASSERT_EQ(tasks.size(), 3u);
    EXPECT_EQ(tasks[0].id, "z");
    EXPECT_EQ(tasks[1].id, "a");
    EXPECT_EQ(tasks[2].id, "m");
}

// python: xxhash.xxh3_64_intdigest("42:cat-001") & 0xffffffff
TEST(DeriveSeed, is_a_documented_hash_of_base_seed_and_id) {
    EXPECT_EQ(derive_seed(42, "cat-001"), 176562732u);
    EXPECT_EQ(derive_seed(0, "a"), 2928898199u);
    EXPECT_EQ(derive_seed(18446744073709551615u, "x"), 3362473920u);
}

TEST_F(TaskListTest, derives_seeds_from_the_base_seed_but_keeps_a_prompts_own) {
    const std::string_view list =
        "{\"id\": \"a\", \"prompt\": \"x\"}\n{\"id\": \"b\", \"prompt\": \"x\", \"seed\": 7}\n";

    const auto from_file = make(list, "seed = 5\n");
    const auto from_option = make(list, "seed = 5\n", {"--generate.seed", "6"});

    EXPECT_EQ(from_file[0].seed, derive_seed(5, "a"));
    EXPECT_EQ(from_file[1].seed, 7u);
    EXPECT_EQ(from_option[0].seed, derive_seed(6, "a"));
    EXPECT_EQ(from_option[1].seed, 7u);
}

TEST_F(TaskListTest, makes_ids_of_all_that_decides_the_pixels) {
    std::set<std::string> ids;
    for (const std::string more : {"",
                                   R"(, "negative_prompt": "n")",
                                   R"(, "size": "64x64")",
                                   R"(, "frames": 5)",
                                   R"(, "steps": 5)",
                                   R"(, "guidance_scale": 2)",
                                   R"(, "flow_shift": 2)",
                                   R"(, "sampler": "euler")",
                                   R"(, "sigma_schedule": "karras")",
                                   R"(, "seed": 42)",
                                   R"(, "seed": 43)"}) {
        const auto tasks = make(R"({"prompt": "x")" + more + "}");
        ids.insert(tasks.at(0).id);
        EXPECT_EQ(id_problem(tasks.at(0).id), "");
        EXPECT_EQ(tasks.at(0).id.size(), 16u);
    }

    ids.insert(make(R"({"prompt": "y"})").at(0).id);
    ids.insert(make(R"({"prompt": "x"})", "seed = 43").at(0).id);

    EXPECT_EQ(ids.size(), 13u);
}

TEST_F(TaskListTest, makes_the_same_id_wherever_a_setting_comes_from) {
    EXPECT_EQ(make(R"({"prompt": "x", "steps": 5})"), make(R"({"prompt": "x"})", "steps = 5"));
    EXPECT_EQ(make("\n\n{\"prompt\": \"x\"}"), make(R"({"prompt": "x"})"));
}

TEST_F(TaskListTest, numbers_repetitions_and_gives_them_other_seeds) {
    const auto tasks = make(
        "{\"prompt\": \"x\"}\n{\"prompt\": \"y\"}\n{\"prompt\": \"x\"}\n"
        "{\"prompt\": \"x\"}\n");

    ASSERT_EQ(tasks.size(), 4u);
    EXPECT_EQ(tasks[2].id, tasks[0].id + "-2");
    EXPECT_EQ(tasks[3].id, tasks[0].id + "-3");
    EXPECT_NE(tasks[2].seed, tasks[0].seed);
    EXPECT_NE(tasks[3].seed, tasks[2].seed);
}

TEST_F(TaskListTest, refuses_the_same_video_twice) {
    EXPECT_EQ(refusal("{\"prompt\": \"x\", \"seed\": 1}\n{\"prompt\": \"y\"}\n"
                      "{\"prompt\": \"x\", \"seed\": 1}\n"),
              "p.jsonl:3: prompt, settings and seed are those of line 1 (expected different "
              "videos); give it another seed, or both an 'id'");
}

TEST_F(TaskListTest, refuses_an_id_twice_naming_both_lines) {
    EXPECT_EQ(refusal("{\"id\": \"a\", \"prompt\": \"x\"}\n{\"id\": \"b\", \"prompt\": \"x\"}\n"
                      "{\"id\": \"a\", \"prompt\": \"y\"}\n"),
              "p.jsonl:3: 'id' is 'a', as on line 1 (expected each id once)");
}

TEST_F(TaskListTest, refuses_ids_that_differ_in_case_only) {
    EXPECT_EQ(
        refusal("{\"id\": \"Cat\", \"prompt\": \"x\"}\n{\"id\": \"cat\", \"prompt\": \"x\"}\n"),
        "p.jsonl:2: 'id' is 'cat', as 'Cat' on line 1 but for case (expected ids that stay "
        "apart where file names have no case)");
}

TEST_F(TaskListTest, names_the_nearest_sizes) {
    const auto size_refusal = [&](const std::string& size) {
        return refusal(R"({"prompt": "x", "size": ")" + size + "\"}");
    };

    EXPECT_EQ(size_refusal("830x475"),
              "p.jsonl:1: 'size' is 830x475 (expected multiples of 16, at most 16384); try 832x480 "
              "or 816x464");
    EXPECT_THAT(size_refusal("832x475"), HasSubstr("; try 832x480 or 832x464"));
    EXPECT_THAT(size_refusal("833x480"), HasSubstr("; try 832x480 or 848x480"));
    EXPECT_THAT(size_refusal("8x20000"),
                HasSubstr("'size' is 8x20000 (expected multiples of 16, at most 16384); try "
                          "16x16384"));
}

TEST_F(TaskListTest, names_the_nearest_numbers_of_frames) {
    const auto frames_refusal = [&](int frames) {
        return refusal(fmt::format(R"({{"prompt": "x", "frames": {}}})", frames));
    };

    EXPECT_EQ(frames_refusal(80),
              "p.jsonl:1: 'frames' is 80 (expected 4k+1, at most 4093); try 77 or 81");
    EXPECT_THAT(frames_refusal(2), HasSubstr("try 1 or 5"));
    EXPECT_THAT(frames_refusal(4094), HasSubstr("try 4093"));
    EXPECT_THAT(frames_refusal(99999), HasSubstr("try 4093"));
}

TEST_F(TaskListTest, goes_by_the_models_own_multiples) {
    model_.size_multiple = 32;
    model_.temporal_compression = 8;
    model_.max_grid = 10;

    EXPECT_EQ(
        refusal(R"({"prompt": "x", "size": "48x352", "frames": 13})"),
        "2 problems:\n"
        "  p.jsonl:1: 'size' is 48x352 (expected multiples of 32, at most 320); try 64x320 or "
        "32x320\n"
        "  p.jsonl:1: 'frames' is 13 (expected 8k+1, at most 73); try 9 or 17");
}

TEST_F(TaskListTest, names_the_place_of_a_setting_that_the_model_cannot_do) {
    EXPECT_EQ(refusal("{\"prompt\": \"x\"}\n{\"prompt\": \"y\"}\n",
                      "frames = 80\n",
                      {"--generate.size", "100x64"}),
              "2 problems:\n"
              "  command line: [generate] 'size' is 100x64 (expected multiples of 16, at most "
              "16384); try 96x64 or 112x64\n"
              "  job.ini:6: [generate] 'frames' is 80 (expected 4k+1, at most 4093); try 77 or 81");
}

TEST_F(TaskListTest, reports_everything_at_once_by_line) {
    const auto [message, kind] = error_of([&] {
        make(
            "{\"id\": \"a\", \"prompt\": \"x\", \"frames\": 6}\n"
            "{\"id\": \"a\", \"prompt\": \"\"}\n"
            "nonsense\n"
            "{\"id\": \"a.b\", \"prompt\": \"x\", \"size\": \"17x16\"}\n");
    });

    EXPECT_THAT(message,
                testing::MatchesRegex("6 problems:\n"
                                      "  p.jsonl:1: 'frames' is 6 .*\n"
                                      "  p.jsonl:2: 'prompt' is empty .*\n"
                                      "  p.jsonl:2: 'id' is 'a', as on line 1 .*\n"
                                      "  p.jsonl:3: no JSON at column .*\n"
                                      "  p.jsonl:4: 'id' is 'a.b' .*\n"
                                      "  p.jsonl:4: 'size' is 17x16 .*"));
    EXPECT_EQ(kind, ErrorKind::input);
}

}  // namespace
}  // namespace reelyard::jobs
