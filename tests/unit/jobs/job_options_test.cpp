#include "reelyard/jobs/job_options.hpp"

#include <gmock/gmock.h>

#include "reelyard/base/error.hpp"

#include "job_files.hpp"

namespace reelyard::jobs {
namespace {

using testing::HasSubstr;

class JobOptionsTest : public JobFiles {
protected:
    JobOptions read(std::string_view content, std::vector<std::string> arguments = {}) {
        arguments.insert(arguments.begin(), write("job.ini", content).string());
        return read_job(arguments, known_names);
    }
    std::string refusal(std::string_view content, const std::vector<std::string>& arguments = {}) {
        return message_of([&] { read(content, arguments); });
    }
};

constexpr std::string_view smallest = "[model]\nstore = m.h5\n[prompts]\nfile = p.txt\n";

TEST_F(JobOptionsTest, leaves_degrees_open_that_are_auto_or_not_given) {
    const auto job = read(std::string(smallest) +
                          "[parallel]\ncfg = 2\nring = auto\ntensor = 3\ngoal = latency\n");

    EXPECT_EQ(job.parallel.cfg, 2);
    EXPECT_EQ(job.parallel.ring, 0);
    EXPECT_EQ(job.parallel.ulysses, 0);
    EXPECT_EQ(job.parallel.tensor, 3);
    EXPECT_EQ(job.parallel.goal, "latency");
    EXPECT_THAT(refusal(std::string(smallest) + "[parallel]\nring = 0\ngoal = speed\n"),
                testing::AllOf(HasSubstr("'parallel.ring' is '0' (expected auto or a whole number"),
                               HasSubstr("'parallel.goal' is 'speed' (expected one of throughput, "
                                         "latency)")));
}

TEST_F(JobOptionsTest, may_leave_out_model_and_prompts_for_a_plan) {
    EXPECT_NO_THROW((void)read_job({}, known_names, JobUse::plan));
    EXPECT_THROW((void)read_job({}, known_names, JobUse::run), Error);
}

TEST_F(JobOptionsTest, reads_every_key) {
    const auto job = read(R"(
# a comment
[model]
store = /data/wan.h5     # another
dtype = float32
device = cuda:3
[prompts]
file = lists/p.jsonl
[generate]
negative_prompt = blurry, dark
size = 832x480
frames = 17
steps = 30
guidance_scale = 4.5
flow_shift = 3
sampler = euler
sigma_schedule = karras
seed = 18446744073709551615
[decode]
tiling = on
tile_size = 320
tile_stride = 256
[output]
dir = /scratch/out
video = png
latents = true
frames = true
contact_sheet = true
[log]
file = run.log
)");

    EXPECT_EQ(job.model.store, "/data/wan.h5");
    EXPECT_EQ(job.model.dtype, DType::float32);
    EXPECT_EQ(job.model.device, "cuda:3");
    EXPECT_EQ(job.prompts, folder_ / "lists/p.jsonl");
    const auto& generate = job.generate_in_job_file.settings;
    EXPECT_EQ(generate.negative_prompt, "blurry, dark");
    EXPECT_EQ(generate.size, (PixelSize{832, 480}));
    EXPECT_EQ(generate.frames, 17);
    EXPECT_EQ(generate.steps, 30);
    EXPECT_EQ(generate.guidance_scale, 4.5);
    EXPECT_EQ(generate.flow_shift, 3.0);
    EXPECT_EQ(generate.sampler, "euler");
    EXPECT_EQ(generate.sigma_schedule, "karras");
    EXPECT_EQ(generate.seed, 18446744073709551615u);
    EXPECT_TRUE(job.decode.tiling);
    EXPECT_EQ(job.decode.tile_size, 320);
    EXPECT_EQ(job.decode.tile_stride, 256);
    EXPECT_EQ(job.output.dir, "/scratch/out");
    EXPECT_EQ(job.output.video, "png");
    EXPECT_TRUE(job.output.latents);
    EXPECT_TRUE(job.output.frames);
    EXPECT_TRUE(job.output.contact_sheet);
    EXPECT_EQ(job.log.file, folder_ / "run.log");
    EXPECT_FALSE(job.log.quiet);
}

TEST_F(JobOptionsTest, has_the_documented_defaults) {
    const auto job = read(smallest);

    EXPECT_EQ(job.model.dtype, DType::bfloat16);
    EXPECT_EQ(job.load.transport, "auto");
    EXPECT_TRUE(job.load.verify);
    EXPECT_EQ(job.load.staged, "auto");
    EXPECT_EQ(job.model.device, "auto");
    EXPECT_EQ(job.output.dir, "out");
    EXPECT_EQ(job.output.video, "mp4");
    EXPECT_FALSE(job.decode.tiling);
    EXPECT_TRUE(job.log.file.empty());
    EXPECT_EQ(job.generate_in_job_file.settings, GenerationSettings{});
    EXPECT_EQ(job.generate_on_command_line.settings, GenerationSettings{});
}

TEST_F(JobOptionsTest, lets_the_command_line_win_and_keeps_generation_settings_apart) {
    const auto job = read(
        "[model]\nstore = m.h5\ndtype = float32\n[prompts]\nfile = p.txt\n[generate]\nsteps = 50\n",
        {"--model.dtype", "bfloat16", "--generate.steps=30", "--output.latents", "true"});

    EXPECT_EQ(job.model.dtype, DType::bfloat16);
    EXPECT_TRUE(job.output.latents);
    EXPECT_EQ(job.generate_in_job_file.settings.steps, 50);
    EXPECT_EQ(job.generate_on_command_line.settings.steps, 30);
}

TEST_F(JobOptionsTest, takes_paths_relative_to_where_they_are_written) {
    const auto job = read(smallest, {"--output.dir", "videos"});

    EXPECT_EQ(job.model.store, folder_ / "m.h5");
    EXPECT_EQ(job.prompts, folder_ / "p.txt");
    EXPECT_EQ(job.output.dir, "videos");
}

TEST_F(JobOptionsTest, needs_no_job_file) {
    const auto job =
        read_job({"--model.store", "m.h5", "--prompts.file", "p.csv", "--quiet"}, known_names);

    EXPECT_EQ(job.model.store, "m.h5");
    EXPECT_EQ(job.prompts, "p.csv");
    EXPECT_TRUE(job.log.quiet);
    EXPECT_TRUE(job.job_file.empty());
}

TEST_F(JobOptionsTest, takes_an_empty_negative_prompt) {
    const auto job = read(std::string(smallest) + "[generate]\nnegative_prompt =\n");

    EXPECT_EQ(job.generate_in_job_file.settings.negative_prompt, "");
}

TEST_F(JobOptionsTest, remembers_where_a_setting_was_made) {
    const auto job =
        read(std::string(smallest) + "[generate]\n\nframes = 5\n", {"--generate.size", "64x64"});

    EXPECT_EQ(job.generate_in_job_file.places.at("frames"),
              (Place{(folder_ / "job.ini").string(), 7}));
    EXPECT_EQ(job.generate_on_command_line.places.at("size"), (Place{"command line", 0}));
}

TEST_F(JobOptionsTest, names_line_of_an_unknown_key_and_the_nearest_one) {
    EXPECT_EQ(refusal(std::string(smallest) + "[generate]\nstep = 3\n"),
              "job.ini:6: 'generate.step' is no key of a job file (see `reelyard run --help`); did "
              "you mean 'generate.steps'?");
    EXPECT_THAT(refusal(std::string(smallest) + "[generate]\nnum_inference_steps = 3\n"),
                HasSubstr("did you mean 'generate.steps'?"));
    EXPECT_THAT(refusal("guidance_scale = 3\n" + std::string(smallest)),
                HasSubstr("job.ini:1: 'guidance_scale' is no key of a job file (see `reelyard run "
                          "--help`); did you mean 'generate.guidance_scale'?"));
    EXPECT_EQ(refusal(std::string(smallest) + "[weather]\nrain = 3\n"),
              "job.ini:6: 'weather.rain' is no key of a job file (see `reelyard run --help`)");
}

TEST_F(JobOptionsTest, says_what_was_expected_of_each_wrong_value) {
    const auto expect_refusal = [&](const std::string& section_and_key,
                                    const std::string& value,
                                    const std::string& expected) {
        const auto dot = section_and_key.find('.');
        const auto content = fmt::format("{}[{}]\n{} = {}\n",
                                         section_and_key == "model.store" ? "" : smallest,
                                         section_and_key.substr(0, dot),
                                         section_and_key.substr(dot + 1),
                                         value);
        EXPECT_EQ(
            refusal(content),
            fmt::format("job.ini:6: '{}' is '{}' (expected {})", section_and_key, value, expected));
    };

    expect_refusal("model.dtype", "float16", "float32 or bfloat16");
    expect_refusal("load.transport", "pigeon", "one of auto, collective, direct");
    expect_refusal("load.verify", "maybe", "true or false");
    expect_refusal("model.device", "gpu", "auto, cpu, cuda or cuda:N");
    expect_refusal("model.device", "cuda:x", "auto, cpu, cuda or cuda:N");
    expect_refusal("generate.size", "832", "width x height in pixels, like 832x480");
    expect_refusal("generate.size", "832x-480", "width x height in pixels, like 832x480");
    expect_refusal("generate.frames", "0", "a whole number, 1 or more");
    expect_refusal("generate.steps", "2.5", "a whole number from 1 to 1000");
    expect_refusal("generate.steps", "1001", "a whole number from 1 to 1000");
    expect_refusal("generate.guidance_scale", "-1", "a number, 0 or more");
    expect_refusal("generate.guidance_scale", "nan", "a number, 0 or more");
    expect_refusal("generate.flow_shift", "0", "a number above 0");
    expect_refusal("generate.flow_shift", "inf", "a number above 0");
    expect_refusal("generate.sampler", "ddim", "one of unipc, dpmpp, euler");
    expect_refusal("generate.sigma_schedule", "linear", "one of official, diffusers, karras");
    expect_refusal("generate.seed", "-1", "a whole number from 0 to 18446744073709551615");
    expect_refusal(
        "generate.seed", "18446744073709551616", "a whole number from 0 to 18446744073709551615");
    expect_refusal("decode.tiling", "true", "on or off");
    expect_refusal("output.video", "avi", "one of mp4, png");
    expect_refusal("output.latents", "yes", "true or false");
    expect_refusal("output.dir", "", "a path");
}

TEST_F(JobOptionsTest, reports_everything_at_once) {
    const auto [message, kind] = error_of([&] {
        read(
            "[model]\nstore = m.h5\nstore = n.h5\nwhat is this\n[generate]\nsteps = no\nsede = 1\n",
            {"--generate.frames", "many", "--quite"});
    });

    EXPECT_EQ(message,
              "7 problems:\n"
              "  command line: '--quite' is no option (see --help); did you mean 'quiet'?\n"
              "  command line: 'generate.frames' is 'many' (expected a whole number, 1 or more)\n"
              "  job.ini: 'prompts.file' is missing (expected a list of prompts: .txt, .jsonl or "
              ".csv); give it in the job file or with --prompts.file\n"
              "  job.ini:3: 'model.store' is given again (expected once; first on line 2)\n"
              "  job.ini:4: 'what is this' is no entry (expected 'key = value', '[section]' or '# "
              "comment')\n"
              "  job.ini:6: 'generate.steps' is 'no' (expected a whole number from 1 to 1000)\n"
              "  job.ini:7: 'generate.sede' is no key of a job file (see `reelyard run --help`); "
              "did you mean 'generate.seed'?");
    EXPECT_EQ(kind, ErrorKind::input);
}

TEST_F(JobOptionsTest, refuses_a_bad_command_line) {
    const auto refused = [&](std::vector<std::string> arguments) {
        const auto [message, kind] = error_of([&] { read(smallest, std::move(arguments)); });
        EXPECT_EQ(kind, ErrorKind::usage) << message;
        return message;
    };

    EXPECT_EQ(refused({"--generate.step", "3"}),
              "command line: '--generate.step' is no option (see --help); did you mean "
              "'generate.steps'?");
    EXPECT_EQ(refused({"other.ini"}),
              "command line: 'other.ini' is a second job file (expected at most one)");
    EXPECT_EQ(refused({"--generate.seed", "3", "--generate.seed", "4"}),
              "command line: '--generate.seed' is given twice (expected once)");
    EXPECT_THAT(refused({"--generate.steps"}), HasSubstr("generate.steps"));
    EXPECT_EQ(refused({"-x"}), "command line: '-x' is no option (see --help)");
}

TEST_F(JobOptionsTest, refuses_tiles_that_do_not_fit_together) {
    EXPECT_EQ(refusal(std::string(smallest) + "[decode]\ntile_size = 256\n"),
              "job.ini:6: 'decode.tile_size' is given, but there are no tiles (expected "
              "decode.tiling = on with it)");
    EXPECT_EQ(refusal(std::string(smallest) + "[decode]\ntiling = on\ntile_size = 128\n"),
              "job.ini:7: 'decode.tile_stride' is 192 (expected at most decode.tile_size, which is "
              "128)");
    EXPECT_EQ(refusal(std::string(smallest) + "[decode]\ntiling = on\ntile_stride = 100\n"),
              "job.ini:7: 'decode.tile_stride' is '100' (expected a multiple of 16, 64 or more)");
}

TEST_F(JobOptionsTest, reads_files_with_byte_order_mark_and_crlf) {
    const auto job = read("\xef\xbb\xbf[model]\r\nstore = m.h5\r\n[prompts]\r\nfile = p.txt\r\n");

    EXPECT_EQ(job.model.store, folder_ / "m.h5");
    EXPECT_EQ(job.prompts, folder_ / "p.txt");
}

TEST_F(JobOptionsTest, refuses_a_file_that_is_not_there_or_not_text) {
    EXPECT_THAT(message_of([&] { (void)read_job({(folder_ / "no.ini").string()}, known_names); }),
                HasSubstr("no.ini"));
    EXPECT_EQ(refusal(std::string(smallest) + "[generate]\nnegative_prompt = caf\xe9\n"),
              "job.ini:6: byte 22 of the line is 0xe9 (expected UTF-8 text); convert the file, for "
              "example with iconv");
    EXPECT_EQ(refusal("\xff\xfe[\0"),
              "job.ini: is UTF-16 text (expected UTF-8); convert it, for example with iconv");
}

TEST_F(JobOptionsTest, helps_instead_of_complaining) {
    const auto job = read_job({"--help", "--generate.steps", "none"}, known_names);

    EXPECT_TRUE(job.help);
}

TEST(JobHelp, names_every_key_with_its_default) {
    const auto text = job_help(known_names);

    for (const std::string key : {"--model.store FILE",
                                  "--model.dtype TYPE",
                                  "--model.device DEVICE",
                                  "--prompts.file FILE",
                                  "--generate.negative_prompt TEXT",
                                  "--generate.size WxH",
                                  "--generate.frames N",
                                  "--generate.steps N",
                                  "--generate.guidance_scale X",
                                  "--generate.flow_shift X",
                                  "--generate.sampler NAME",
                                  "--generate.sigma_schedule NAME",
                                  "--generate.seed N",
                                  "--decode.tiling on|off",
                                  "--decode.tile_size N",
                                  "--decode.tile_stride N",
                                  "--output.dir FOLDER",
                                  "--output.video FORMAT",
                                  "--output.latents true|false",
                                  "--output.frames true|false",
                                  "--output.contact_sheet true|false",
                                  "--log.file FILE",
                                  "--quiet",
                                  "[bfloat16]",
                                  "unipc, dpmpp, euler [unipc]",
                                  "mp4, png [mp4]",
                                  "[out]"}) {
        EXPECT_THAT(text, HasSubstr(key));
    }
}

}  // namespace
}  // namespace reelyard::jobs
