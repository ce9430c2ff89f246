#include <fstream>

#include <gtest/gtest.h>

#include "wan/fixtures.hpp"

// Whole jobs through `reelyard run`, compared with WanPipeline on the same weights, prompts and
// noise.
namespace reelyard::parity {
namespace {

/// See components_test.cpp; over several steps the roundings also act on each other.
constexpr double rms_factor = 1.5;
constexpr double max_factor = 2.5;

class Job : public Stores, public testing::WithParamInterface<Case> {
protected:
    struct Settings {
        std::string dtype;
        int ranks = 1;
    };

    /// Runs the job. \returns the folder of its results
    static std::filesystem::path finished(const Case& each, const Settings& settings) {
        const std::string name =
            each.fixture.name + each.name() + settings.dtype + std::to_string(settings.ranks);
        const std::filesystem::path folder = scratch(name);
        std::ofstream prompts(scratch(name + ".jsonl"));
        for (const nlohmann::json& task : each.entry.at("tasks")) {
            prompts << prompt_line(task) << '\n';
        }
        prompts.close();
        std::ofstream(scratch(name + ".ini"))
            << "[model]\nstore = " << store_of(each.fixture).string()
            << "\ndtype = " << settings.dtype << "\n[prompts]\nfile = " << name
            << ".jsonl\n[generate]\nsigma_schedule = "
            << each.entry.at("sigma_schedule").get<std::string>()
            << "\n[output]\ndir = " << folder.string() << "\nlatents = true\nframes = true\n";
        const Outcome outcome =
            run_program({"run", scratch(name + ".ini").string()}, settings.ranks);
        EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
        return folder;
    }

    /// Our line of a prompt list for a task of the fixture.
    static std::string prompt_line(nlohmann::json task) {
        task["size"] = std::to_string(task.at("width").get<int>()) + "x" +
                       std::to_string(task.at("height").get<int>());
        for (const char* key : {"width", "height", "out", "bfloat16"}) {
            task.erase(key);
        }
        return task.dump();
    }

    static Deviation compared(const Case& each,
                              const nlohmann::json& task,
                              const std::filesystem::path& folder,
                              const std::string& name) {
        const std::filesystem::path expected_file =
            each.fixture.folder / task.at("out").get<std::string>();
        const std::string id = task.at("id");
        const std::filesystem::path found_file =
            folder / (name == "latent" ? "latents" : "frames") / (id + ".safetensors");
        const Values expected = read_values(expected_file, name);
        const Values found = read_values(found_file, tensor_names(found_file).at(0));
        EXPECT_EQ(found.values.size(), expected.values.size()) << id << ' ' << name;
        return deviation(found.values, expected.values);
    }

    static void expect_equal(const Case& each, const std::filesystem::path& folder) {
        for (const nlohmann::json& task : each.entry.at("tasks")) {
            const auto file = each.fixture.folder / task.at("out").get<std::string>();
            for (const std::string& name : tensor_names(file)) {
                const Deviation found = compared(each, task, folder, name);
                RecordProperty(name + "_" + task.at("id").get<std::string>(),
                               std::to_string(found.max));
                EXPECT_LE(found.max, each.entry.at("tolerance").get<double>())
                    << task.at("id") << ' ' << name;
            }
        }
    }
};

TEST_P(Job, latents_and_frames_equal_the_reference_on_one_rank) {
    const Case& each = GetParam();

    expect_equal(each, finished(each, {.dtype = "float32", .ranks = 1}));
}

TEST_P(Job, latents_and_frames_equal_the_reference_on_two_ranks) {
    const Case& each = GetParam();

    expect_equal(each, finished(each, {.dtype = "float32", .ranks = 2}));
}

TEST_P(Job, latents_and_frames_equal_the_reference_on_three_ranks) {
    const Case& each = GetParam();

    expect_equal(each, finished(each, {.dtype = "float32", .ranks = 3}));
}

TEST_P(Job, bfloat16_is_as_close_to_float32_as_that_of_the_reference) {
    const Case& each = GetParam();

    const std::filesystem::path folder = finished(each, {.dtype = "bfloat16", .ranks = 1});

    for (const nlohmann::json& task : each.entry.at("tasks")) {
        const auto file = each.fixture.folder / task.at("out").get<std::string>();
        for (const std::string& name : tensor_names(file)) {
            const nlohmann::json& bound =
                task.at("bfloat16").at(name == "latent" ? "latent" : "frames");
            const Deviation found = compared(each, task, folder, name);
            EXPECT_LE(found.rms, rms_factor * bound.at("rms").get<double>())
                << task.at("id") << ' ' << name;
            EXPECT_LE(found.max, max_factor * bound.at("max").get<double>())
                << task.at("id") << ' ' << name;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(wan,
                         Job,
                         testing::ValuesIn(cases_where([](const nlohmann::json& entry) {
                             return entry.at("kind") == "job";
                         })),
                         CaseName{});

}  // namespace
}  // namespace reelyard::parity
