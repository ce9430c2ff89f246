#include <filesystem>
#include <fstream>
#include <ostream>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "support/fixture.hpp"
#include "support/program.hpp"

// The layouts that the README shows, line by line.
namespace reelyard::cli {
namespace {

using parity::Outcome;
using parity::run_program;

/// A command of the README's table.
struct ShownLayout {
    int ranks = 1;
    std::vector<std::string> options;
};

void PrintTo(const ShownLayout& layout, std::ostream* out) {
    *out << layout.ranks << " ranks:";
    for (const std::string& option : layout.options) {
        *out << ' ' << option;
    }
}

std::vector<ShownLayout> shown_layouts() {
    std::ifstream readme(REELYARD_README);
    const std::regex command("`mpirun -n ([0-9]+) reelyard run job.ini (--parallel[^`]*)`");
    std::vector<ShownLayout> layouts;
    for (std::string line; std::getline(readme, line);) {
        std::smatch found;
        if (std::regex_search(line, found, command)) {
            std::istringstream words(found[2]);
            ShownLayout layout{.ranks = std::stoi(found[1]), .options = {}};
            for (std::string word; words >> word;) {
                layout.options.push_back(word);
            }
            layouts.push_back(layout);
        }
    }
    return layouts;
}

class ReadmeLayout : public testing::TestWithParam<ShownLayout> {
protected:
    static void SetUpTestSuite() {
        scratch_ = new parity::ScratchFolder;
        const Outcome imported = run_program(
            {"import", REELYARD_JOBS "/demo/wan-shapes", "-o", file("m.h5"), "--quiet"});
        ASSERT_EQ(imported.exit_code, 0) << imported.output;
        std::ofstream(file("prompts.jsonl")) << R"({"id": "a", "prompt": "a large red circle"})";
        std::ofstream(file("job.ini"))
            << "[model]\nstore = m.h5\ndtype = float32\n[prompts]\nfile = prompts.jsonl\n"
               "[generate]\nnegative_prompt =\nsize = 48x80\nframes = 9\nsteps = 3\n"
               "guidance_scale = 4\n[output]\nlatents = true\n";
        ASSERT_EQ(run(1, {}, "one").exit_code, 0);
    }
    static void TearDownTestSuite() {
        delete scratch_;
        scratch_ = nullptr;
    }

    [[nodiscard]] static std::string file(const std::string& name) {
        return (scratch_->path() / name).string();
    }
    [[nodiscard]] static Outcome run(int ranks,
                                     const std::vector<std::string>& options,
                                     const std::string& folder) {
        std::vector<std::string> arguments{"run", file("job.ini"), "--output.dir=" + file(folder)};
        arguments.insert(arguments.end(), options.begin(), options.end());
        return run_program(arguments, ranks);
    }
    [[nodiscard]] static std::vector<double> latent_in(const std::string& folder) {
        return parity::read_values(file(folder + "/latents/a.safetensors"), "latent").values;
    }

private:
    static inline parity::ScratchFolder* scratch_ = nullptr;
};

TEST(ReadmeLayouts, are_found) {
    EXPECT_GE(shown_layouts().size(), 6U);
}

TEST_P(ReadmeLayout, makes_the_video_of_one_rank) {
    std::filesystem::remove_all(file("many"));

    const Outcome made = run(GetParam().ranks, GetParam().options, "many");

    ASSERT_EQ(made.exit_code, 0) << made.output;
    EXPECT_THAT(made.output, testing::HasSubstr("1 made, 0 failed"));
    EXPECT_THAT(made.output, testing::HasSubstr("1.00 times"));
    EXPECT_LE(parity::deviation(latent_in("many"), latent_in("one")).max, 1e-4);
}

INSTANTIATE_TEST_SUITE_P(every_line, ReadmeLayout, testing::ValuesIn(shown_layouts()));

}  // namespace
}  // namespace reelyard::cli
