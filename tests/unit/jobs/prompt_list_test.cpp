#include "reelyard/jobs/prompt_list.hpp"

#include <gmock/gmock.h>

#include "job_files.hpp"

namespace reelyard::jobs {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class PromptListTest : public JobFiles {
protected:
    PromptList read(const std::string& name, std::string_view content) {
        return read_prompt_list(write(name, content), known_names);
    }
    std::vector<std::string> problems_of(const std::string& name, std::string_view content) {
        std::vector<std::string> lines;
        for (const auto& problem : read(name, content).problems) {
            lines.push_back(fmt::format("{}: {}", problem.place.line, problem.text));
        }
        return lines;
    }
    std::vector<std::string> jsonl_problems(std::string_view content) {
        return problems_of("p.jsonl", content);
    }
};

std::vector<std::string> texts_of(const PromptList& list) {
    std::vector<std::string> texts;
    for (const auto& prompt : list.prompts) {
        texts.push_back(prompt.text);
    }
    return texts;
}

TEST_F(PromptListTest, takes_each_line_of_a_text_file_but_blank_ones_and_comments) {
    const auto list =
        read("p.txt", "  a cat, \"asleep\" \r\n\n# animals\n\t\na dog # not a comment");

    EXPECT_THAT(list.problems, IsEmpty());
    EXPECT_THAT(texts_of(list), ElementsAre("a cat, \"asleep\"", "a dog # not a comment"));
    EXPECT_EQ(list.prompts[0].line, 1);
    EXPECT_EQ(list.prompts[1].line, 5);
    EXPECT_EQ(list.prompts[1].id, "");
    EXPECT_EQ(list.prompts[1].settings, GenerationSettings{});
}

TEST_F(PromptListTest, reads_every_key_of_jsonl) {
    const auto list = read(
        "p.jsonl",
        R"({"id": "cat-001", "prompt": "a \u732b", "negative_prompt": "", "size": "64x48", )"
        R"("frames": 5, "steps": 30, "guidance_scale": 4.5, "flow_shift": 3, "sampler": "dpmpp", )"
        R"("sigma_schedule": "diffusers", "seed": 18446744073709551615})");

    EXPECT_THAT(list.problems, IsEmpty());
    ASSERT_EQ(list.prompts.size(), 1u);
    EXPECT_EQ(list.prompts[0].id, "cat-001");
    EXPECT_EQ(list.prompts[0].text, "a \xe7\x8c\xab");
    EXPECT_EQ(list.prompts[0].settings,
              (GenerationSettings{.negative_prompt = "",
                                  .size = PixelSize{64, 48},
                                  .frames = 5,
                                  .steps = 30,
                                  .guidance_scale = 4.5,
                                  .flow_shift = 3.0,
                                  .sampler = "dpmpp",
                                  .sigma_schedule = "diffusers",
                                  .seed = 18446744073709551615u}));
}

TEST_F(PromptListTest, takes_null_as_not_given_and_numbers_as_ids) {
    const auto list =
        read("p.jsonl", "{\"id\": 17, \"prompt\": \"x\", \"seed\": null, \"steps\": 30.0}\n\n");

    EXPECT_THAT(list.problems, IsEmpty());
    ASSERT_EQ(list.prompts.size(), 1u);
    EXPECT_EQ(list.prompts[0].id, "17");
    EXPECT_EQ(list.prompts[0].settings, (GenerationSettings{.steps = 30}));
}

TEST_F(PromptListTest, reads_csv_with_quotes_commas_and_line_ends_in_fields) {
    const auto list = read("p.csv",
                           "\xef\xbb\xbfid,prompt,seed\r\n"
                           "a,\"a cat, \"\"asleep\"\"\",7\r\n"
                           "b,\"two\nlines\",\r\n"
                           "\r\n"
                           "c,plain,9");

    EXPECT_THAT(list.problems, IsEmpty());
    EXPECT_THAT(texts_of(list), ElementsAre("a cat, \"asleep\"", "two\nlines", "plain"));
    EXPECT_EQ(list.prompts[0].settings.seed, 7u);
    EXPECT_EQ(list.prompts[1].settings.seed, std::nullopt);
    EXPECT_EQ(list.prompts[2].line, 6);
    EXPECT_EQ(list.prompts[2].id, "c");
}

TEST_F(PromptListTest, reads_the_ending_in_any_case) {
    EXPECT_EQ(read("P.TXT", "x").prompts.size(), 1u);
}

TEST_F(PromptListTest, refuses_other_endings_and_absent_files) {
    EXPECT_EQ(message_of([&] { read("p.json", "[]"); }),
              "p.json: the name ends with '.json' (expected .txt, .jsonl or .csv)");
    EXPECT_THAT(message_of([&] { (void)read_prompt_list(folder_ / "no.txt", known_names); }),
                HasSubstr("no.txt"));
}

TEST_F(PromptListTest, says_that_there_is_no_prompt) {
    EXPECT_THAT(problems_of("p.txt", "# only a comment\n"),
                ElementsAre("0: there is no prompt in it (expected at least one)"));
    EXPECT_THAT(problems_of("p.csv", "id,prompt\n"),
                ElementsAre("0: there is no prompt in it (expected at least one)"));
    EXPECT_THAT(problems_of("p.jsonl", ""),
                ElementsAre("0: there is no prompt in it (expected at least one)"));
}

TEST_F(PromptListTest, names_every_bad_line_of_jsonl) {
    EXPECT_THAT(
        jsonl_problems("{\"prompt\": \"\"}\n"
                       "{\"id\": \"x\"}\n"
                       "{\"prompt\": \"ok\"}\n"
                       "[1, 2]\n"
                       "{\"prompt\": \"x\", \"steps\": 0, \"seed\": -1}\n"
                       "{\"prompt\": \" \\t\"}\n"),
        ElementsAre("1: 'prompt' is empty (expected the text of the prompt)",
                    "2: 'prompt' is missing (expected the text of the prompt)",
                    "4: '[1, 2]' is no JSON object (expected one object a line, like "
                    "{\"prompt\": \"...\"})",
                    "5: 'seed' is '-1' (expected a whole number from 0 to 18446744073709551615)",
                    "5: 'steps' is '0' (expected a whole number from 1 to 1000)",
                    "6: 'prompt' is empty (expected the text of the prompt)"));
}

TEST_F(PromptListTest, says_where_a_line_stops_being_json) {
    const auto problems = jsonl_problems("{\"prompt\": \"x\",}\n{\"prompt\": \"x\"");

    ASSERT_EQ(problems.size(), 2u);
    EXPECT_THAT(problems[0], HasSubstr("1: no JSON at column 16: syntax error"));
    EXPECT_THAT(problems[0], HasSubstr("(expected one object a line, like {\"prompt\": \"...\"})"));
    EXPECT_THAT(problems[1], HasSubstr("2: no JSON at column 15: syntax error"));
}

TEST_F(PromptListTest, names_unknown_and_doubled_keys) {
    EXPECT_THAT(
        jsonl_problems(R"({"prompt": "x", "sede": 1, "seed": 1, "seed": 2, "num_frames": 5})"),
        ElementsAre("1: 'seed' is there more than once (expected each key once)",
                    "1: 'num_frames' is no key of a prompt (expected id, prompt, "
                    "negative_prompt, size, frames, steps, guidance_scale, flow_shift, sampler, "
                    "sigma_schedule, seed); did you mean 'frames'?",
                    "1: 'sede' is no key of a prompt (expected id, prompt, negative_prompt, size, "
                    "frames, steps, guidance_scale, flow_shift, sampler, sigma_schedule, seed); "
                    "did you mean 'seed'?"));
}

TEST_F(PromptListTest, names_values_of_the_wrong_type) {
    EXPECT_THAT(jsonl_problems(R"({"prompt": 5, "steps": "30", "size": 64, "id": [1]})"),
                ElementsAre("1: 'id' is '[1]' (expected text)",
                            "1: 'prompt' is '5' (expected text)",
                            "1: 'size' is '64' (expected text)",
                            "1: 'steps' is '\"30\"' (expected a number)"));
}

TEST_F(PromptListTest, names_values_outside_their_range) {
    EXPECT_THAT(
        jsonl_problems(
            R"({"prompt": "x", "frames": 2.5, "steps": 1001, "guidance_scale": -0.5, "flow_shift": 0, )"
            R"("sampler": "ddim", "sigma_schedule": "x", "seed": 18446744073709551616, "size": "64"})"),
        ElementsAre(
            "1: 'flow_shift' is '0' (expected a number above 0)",
            "1: 'frames' is '2.5' (expected a whole number, 1 or more)",
            "1: 'guidance_scale' is '-0.5' (expected a number, 0 or more)",
            "1: 'sampler' is 'ddim' (expected one of unipc, dpmpp, euler)",
            HasSubstr("1: 'seed' is '1.8446744073709552e+19' (expected a whole number from 0 to"),
            "1: 'sigma_schedule' is 'x' (expected one of official, diffusers, karras)",
            "1: 'size' is '64' (expected width x height in pixels, like 832x480)",
            "1: 'steps' is '1001' (expected a whole number from 1 to 1000)"));
}

TEST_F(PromptListTest, names_zero_bytes_in_a_prompt) {
    EXPECT_THAT(jsonl_problems(R"({"prompt": "a\u0000b"})"),
                ElementsAre("1: 'prompt' is 'a\\x00b' (expected text without zero bytes)"));
}

TEST_F(PromptListTest, names_lines_that_are_not_utf8) {
    // Latin-1, a truncated character, an overlong slash, a surrogate, beyond U+10FFFF.
    EXPECT_THAT(
        problems_of("p.txt",
                    "good\ncaf\xe9 x\nx\xe2\x82\n\xc0\xaf\n\xed\xa0\x80\n\xf4\x90\x80\x80\n"),
        ElementsAre("2: byte 4 of the line is 0xe9 (expected UTF-8 text); convert the file, for "
                    "example with iconv",
                    HasSubstr("3: byte 2 of the line is 0xe2"),
                    HasSubstr("4: byte 1 of the line is 0xc0"),
                    HasSubstr("5: byte 1 of the line is 0xed"),
                    HasSubstr("6: byte 1 of the line is 0xf4")));
}

TEST_F(PromptListTest, reports_broken_text_and_broken_values_together) {
    EXPECT_THAT(jsonl_problems("{\"prompt\": \"\xff\"}\n{\"prompt\": \"\"}\n"),
                ElementsAre(HasSubstr("1: byte 13 of the line is 0xff"),
                            HasSubstr("2: 'prompt' is empty")));
}

TEST_F(PromptListTest, names_broken_csv) {
    EXPECT_THAT(
        problems_of("p.csv", "prompt,seed\na,1,2\nb\"c,3\n\"d\"e,4\n,5\nf,x\n\"g\n"),
        testing::UnorderedElementsAre(
            "2: there are 3 fields (expected 2, one per column); a field with a comma needs "
            "quotation marks around it",
            "3: a quotation mark stands in a field that has none around it (expected the whole "
            "field in quotation marks, and those in it doubled)",
            "4: text follows the closing quotation mark of a field (expected a comma or the end "
            "of the line; quotation marks in a field are doubled)",
            "5: 'prompt' is empty (expected the text of the prompt)",
            "6: 'seed' is 'x' (expected a whole number from 0 to 18446744073709551615)",
            "7: a quotation mark opens a field that does not end (expected a closing one)"));
}

TEST_F(PromptListTest, names_bad_columns_of_csv) {
    EXPECT_THAT(problems_of("p.csv", "id,text\na,b\n"),
                ElementsAre(HasSubstr("1: 'text' is no key of a prompt (expected id, prompt,"),
                            "1: there is no column 'prompt' (expected a first line with the names "
                            "of the columns)"));
    EXPECT_THAT(problems_of("p.csv", "prompt,seed,seed\nx,1,1\n"),
                ElementsAre("1: column 'seed' is there more than once (expected each once)"));
}

TEST(IdProblem, accepts_names_of_files) {
    for (const std::string id : {"cat-001", "a b", "7", "_x", "\xe7\x8c\xab", "con1", "a+b=c,d"}) {
        EXPECT_EQ(id_problem(id), "") << id;
    }
    EXPECT_EQ(id_problem(std::string(200, 'a')), "");
}

TEST(IdProblem, refuses_what_is_unsafe_as_a_name) {
    EXPECT_EQ(id_problem(""), "empty (expected a name for files, or no 'id' at all)");
    EXPECT_EQ(id_problem(std::string(201, 'a')),
              "'" + std::string(60, 'a') + "...', 201 bytes (expected at most 200)");
    for (const std::string id :
         {".", "..", "a.b", "a/b", "/etc", "a\\b", "a:b", "a*", "a?", "a|b"}) {
        EXPECT_EQ(id_problem(id),
                  "'" + (id == "a\\b" ? std::string("a\\b") : id) +
                      "' (expected a file name without control characters and any of "
                      "./\\:*?\"<>|)");
    }
    EXPECT_THAT(id_problem("a\nb"), HasSubstr("'a\\x0ab' (expected a file name without control"));
    EXPECT_EQ(id_problem("-rf"),
              "'-rf' (expected no '-' at the beginning and no blanks at the ends)");
    EXPECT_EQ(id_problem(" a"),
              "' a' (expected no '-' at the beginning and no blanks at the ends)");
    for (const std::string id : {"con", "NUL", "Com1", "LPT9"}) {
        EXPECT_EQ(id_problem(id),
                  "'" + id + "' (expected none of the names that Windows keeps for devices)");
    }
}

}  // namespace
}  // namespace reelyard::jobs
