#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "support/program.hpp"

namespace reelyard::cli {

/// What preload/faulty_system.cpp reads from the environment; empty: nothing fails.
using Faults = std::map<std::string, std::string>;

/// One run of a job.
struct Trial {
    int ranks = 1;
    std::vector<std::string> options = {};  ///< of `reelyard run`, besides the usual ones
    Faults faults = {};
    std::string folder = "out";  ///< of the outputs
    std::string wrapper = {};    ///< what the shell starts the program with: "nice "
};

/// A tensor in the file.
struct PlacedTensor {
    std::string name;  ///< with its component: "transformer/proj_out.bias"
    std::int64_t offset = 0;
    std::int64_t bytes = 0;

    [[nodiscard]] std::int64_t middle() const { return offset + bytes / 2; }
};

/// Jobs with the demo model from a store that each test has for itself and may break.
class FaultTest : public testing::Test {
protected:
    static void SetUpTestSuite();
    static void TearDownTestSuite();

    FaultTest();

    /// Makes the video of every prompt, in a new folder unless it is told to go on.
    [[nodiscard]] parity::Outcome run(const Trial& trial) const;
    [[nodiscard]] parity::Outcome go_on(const Trial& trial) const;

    void write_prompts(const std::vector<std::string>& ids) const;
    /// The finished videos with their checksums.
    [[nodiscard]] std::map<std::string, std::string> videos(
        const std::string& folder = "out") const;
    /// The videos that a machine without faults makes of the same prompts.
    [[nodiscard]] std::map<std::string, std::string> videos_without_faults() const;

    /// This test's own copy of the store.
    [[nodiscard]] std::filesystem::path store() const { return scratch_.path() / "faulty.h5"; }
    [[nodiscard]] std::filesystem::path scratch() const { return scratch_.path(); }
    /// The largest tensor of a component.
    [[nodiscard]] static PlacedTensor tensor_of(const std::string& component);
    /// A place within the index.
    [[nodiscard]] std::int64_t index_offset() const;
    void flip_byte(std::int64_t offset) const;

private:
    [[nodiscard]] static std::filesystem::path whole_store();
    parity::ScratchFolder scratch_;
};

/// How often the program printed an error.
[[nodiscard]] int count_errors(const parity::Outcome& outcome);

/// The two ways of reading.
inline const std::vector<std::string> transports{"direct", "collective"};

}  // namespace reelyard::cli
