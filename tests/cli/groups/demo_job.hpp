#pragma once

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "reelyard/base/checksum.hpp"

#include "support/program.hpp"

namespace reelyard::cli {

/// Small videos of the demo model, in a folder of their own.
class DemoJob : public testing::Test {
protected:
    using Options = std::vector<std::string>;

    /// \param prompts with the ids a, b, c ... \param usual options of every run
    DemoJob(const std::vector<std::string>& prompts, Options usual) : usual_(std::move(usual)) {
        const parity::Outcome imported = parity::run_program(
            {"import", REELYARD_JOBS "/demo/wan-shapes", "-o", store().string(), "--quiet"});
        EXPECT_EQ(imported.exit_code, 0) << imported.output;
        char id = 'a';
        std::ofstream list(prompt_list());
        for (const std::string& prompt : prompts) {
            list << nlohmann::json{{"id", std::string(1, id++)}, {"prompt", prompt}} << '\n';
        }
    }

    [[nodiscard]] std::filesystem::path store() const { return scratch_.path() / "demo.h5"; }
    [[nodiscard]] std::filesystem::path prompt_list() const {
        return scratch_.path() / "prompts.jsonl";
    }
    [[nodiscard]] std::filesystem::path out() const { return scratch_.path() / "out"; }

    /// `run` with the usual options and these.
    [[nodiscard]] Options arguments(const Options& options) const {
        Options all{"run",
                    "--model.store=" + store().string(),
                    "--model.dtype=float32",
                    "--prompts.file=" + prompt_list().string(),
                    "--output.dir=" + out().string()};
        all.insert(all.end(), usual_.begin(), usual_.end());
        all.insert(all.end(), options.begin(), options.end());
        return all;
    }

    /// With what is in the output folder.
    [[nodiscard]] parity::Outcome go_on(int ranks, const Options& options) const {
        return parity::run_program(arguments(options), ranks);
    }

    /// From an empty folder.
    [[nodiscard]] parity::Outcome run(int ranks, const Options& options) const {
        std::filesystem::remove_all(out());
        return go_on(ranks, options);
    }

    /// Every file of the videos with its checksum.
    [[nodiscard]] std::map<std::string, std::string> videos() const {
        std::map<std::string, std::string> files;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(out() / "videos")) {
            if (entry.is_regular_file()) {
                files[std::filesystem::relative(entry.path(), out())] = file_checksum(entry.path());
            }
        }
        return files;
    }

    parity::ScratchFolder scratch_;

private:
    Options usual_;
};

inline constexpr const char* red_circle = "a large red circle moving left on a black background";

}  // namespace reelyard::cli
