#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace reelyard::parity {

/// How a run of the program ended.
struct Outcome {
    int exit_code = 0;
    std::string output;  ///< standard output and standard error together
};

/// How a shell starts the program that is being built. \param ranks 1 starts it without mpirun
[[nodiscard]] std::string command_line(const std::vector<std::string>& arguments, int ranks = 1);

/// Runs the program that is being built. \param ranks 1 starts it without mpirun
/// \param before what the shell does first: "ulimit -v 1000000; "
[[nodiscard]] Outcome run_program(const std::vector<std::string>& arguments,
                                  int ranks = 1,
                                  const std::string& before = "");

/// An empty folder that goes away with the object.
class ScratchFolder {
public:
    ScratchFolder();
    ScratchFolder(const ScratchFolder&) = delete;
    ScratchFolder& operator=(const ScratchFolder&) = delete;
    ~ScratchFolder();

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

}  // namespace reelyard::parity
