#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "reelyard/media/video_reader.hpp"

#include "moving_shape.hpp"
#include "support/program.hpp"

// The demo as a user runs it: import, a job on two ranks, videos that show what the prompts say.
namespace reelyard::cli {
namespace {

using parity::Outcome;
using parity::run_program;
using parity::ScratchFolder;

constexpr const char* demo_folder = REELYARD_JOBS "/demo";

struct Prompt {
    std::string id;
    std::string text;
};

std::vector<Prompt> demo_prompts() {
    std::ifstream file(std::string(demo_folder) + "/prompts.jsonl");
    std::vector<Prompt> prompts;
    for (std::string line; std::getline(file, line);) {
        const auto json = nlohmann::json::parse(line);
        prompts.push_back({json.at("id"), json.at("prompt")});
    }
    return prompts;
}

/// The word of `text` that comes `offset` words after `anchor`.
std::string word_near(const std::string& text, const std::string& anchor, int offset) {
    std::istringstream stream(text);
    const std::vector<std::string> words{std::istream_iterator<std::string>(stream), {}};
    const auto found = std::find(words.begin(), words.end(), anchor);
    return found == words.end() ? std::string{} : *(found + offset);
}

TEST(Demo, videos_show_colour_and_motion_of_their_prompts) {
    const ScratchFolder scratch;
    const std::string store = (scratch.path() / "demo.h5").string();
    const auto out = scratch.path() / "out";
    const Outcome imported =
        run_program({"import", std::string(demo_folder) + "/wan-shapes", "-o", store});
    ASSERT_EQ(imported.exit_code, 0) << imported.output;

    const Outcome made = run_program(
        {"run", REELYARD_JOBS "/demo.ini", "--model.store", store, "--output.dir", out.string()},
        2);

    ASSERT_EQ(made.exit_code, 0) << made.output;
    const std::vector<Prompt> prompts = demo_prompts();
    EXPECT_EQ(prompts.size(), 12U);
    for (const Prompt& prompt : prompts) {
        SCOPED_TRACE(prompt.text);
        const media::Video video = media::read_video(out / "videos" / (prompt.id + ".mp4"));
        EXPECT_EQ(video.info.frames, 17);
        const MovingShape seen = recognise(video.view());
        EXPECT_EQ(seen.colour, word_near(prompt.text, "moving", -2));
        EXPECT_EQ(seen.motion, word_near(prompt.text, "moving", 1));
        EXPECT_EQ(seen.background, word_near(prompt.text, "background", -1));
    }
}

}  // namespace
}  // namespace reelyard::cli
