#include "fault_test.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "reelyard/base/checksum.hpp"

namespace reelyard::cli {
namespace {

namespace fs = std::filesystem;
using parity::Outcome;
using parity::run_program;

constexpr const char* checkpoint = REELYARD_JOBS "/demo/wan-shapes";
// No run here takes more than some seconds; one that takes this long hangs.
constexpr const char* patience = "timeout -k 10 100 ";

std::string environment(const Faults& faults) {
    if (faults.empty()) {
        return "";
    }
    std::string text = "env LD_PRELOAD=" REELYARD_FAULTY_SYSTEM " ";
    for (const auto& [name, value] : faults) {
        text.append(name).append("='").append(value).append("' ");
    }
    return text;
}

}  // namespace

FaultTest::FaultTest() {
    fs::copy_file(whole_store(), store());
    write_prompts({"a"});
    std::ofstream(scratch() / "job.ini")
        << "[generate]\nnegative_prompt =\nsize = 32x32\nframes = 1\nsteps = 1\n";
}

void FaultTest::SetUpTestSuite() {
    const Outcome imported =
        run_program({"import", checkpoint, "-o", whole_store().string(), "--quiet"});
    ASSERT_EQ(imported.exit_code, 0) << imported.output;
}

void FaultTest::TearDownTestSuite() {
    fs::remove(whole_store());
}

fs::path FaultTest::whole_store() {
    const std::string suite = testing::UnitTest::GetInstance()->current_test_suite()->name();
    return fs::path(testing::TempDir()) / (suite + "_demo.h5");
}

void FaultTest::write_prompts(const std::vector<std::string>& ids) const {
    std::ofstream file(scratch() / "prompts.jsonl");
    for (const std::string& id : ids) {
        file << nlohmann::json{{"id", id}, {"prompt", "a red circle moving left: " + id}} << '\n';
    }
}

Outcome FaultTest::run(const Trial& trial) const {
    fs::remove_all(scratch() / trial.folder);
    return go_on(trial);
}

Outcome FaultTest::go_on(const Trial& trial) const {
    std::vector<std::string> arguments{"run",
                                       "--model.store=" + store().string(),
                                       "--prompts.file=" + (scratch() / "prompts.jsonl").string(),
                                       "--output.dir=" + (scratch() / trial.folder).string(),
                                       "--quiet",
                                       (scratch() / "job.ini").string()};
    arguments.insert(arguments.end(), trial.options.begin(), trial.options.end());
    return run_program(
        arguments, trial.ranks, environment(trial.faults) + patience + trial.wrapper);
}

std::map<std::string, std::string> FaultTest::videos(const std::string& folder) const {
    std::map<std::string, std::string> found;
    if (!fs::exists(scratch() / folder / "videos")) {
        return found;
    }
    for (const auto& entry : fs::directory_iterator(scratch() / folder / "videos")) {
        found[entry.path().filename().string()] = file_checksum(entry.path());
    }
    return found;
}

std::map<std::string, std::string> FaultTest::videos_without_faults() const {
    const Outcome made = run({});
    EXPECT_EQ(made.exit_code, 0) << made.output;
    return videos();
}

PlacedTensor FaultTest::tensor_of(const std::string& component) {
    const auto shown =
        nlohmann::json::parse(run_program({"inspect", whole_store().string(), "--json"}).output);
    PlacedTensor largest;
    for (const auto& entry : shown.at("components")) {
        for (const auto& tensor : entry.at("tensors")) {
            if (entry.at("name") == component && tensor.at("bytes") > largest.bytes) {
                largest = {.name = component + "/" + tensor.at("name").get<std::string>(),
                           .offset = tensor.at("file_offset"),
                           .bytes = tensor.at("bytes")};
            }
        }
    }
    return largest;
}

std::int64_t FaultTest::index_offset() const {
    std::ifstream file(store(), std::ios::binary);
    const std::string content{std::istreambuf_iterator<char>(file), {}};
    return static_cast<std::int64_t>(content.find("\"class_name\""));
}

void FaultTest::flip_byte(std::int64_t offset) const {
    std::fstream file(store(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(offset);
    const int byte = file.get();
    file.seekp(offset);
    file.put(static_cast<char>(byte ^ 1));
}

int count_errors(const Outcome& outcome) {
    constexpr std::string_view message = "reelyard: error: ";
    int count = 0;
    for (auto at = outcome.output.find(message); at != std::string::npos;
         at = outcome.output.find(message, at + 1)) {
        ++count;
    }
    return count;
}

}  // namespace reelyard::cli
