#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "reelyard/base/file_system.hpp"
#include "reelyard/journal/ledger.hpp"
#include "reelyard/spec/task.hpp"
#include "reelyard/spec/task_result.hpp"

namespace reelyard::journal {

/// Where a job's outputs lie below its folder, and which of them are there. Made on every rank;
/// making one touches nothing.
class OutputStore {
public:
    explicit OutputStore(std::filesystem::path folder) : folder_(std::move(folder)) {}

    [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
    [[nodiscard]] std::filesystem::path manifest() const { return folder_ / "manifest.jsonl"; }
    [[nodiscard]] std::filesystem::path job_file() const { return folder_ / "job.json"; }
    /// Below it the sinks name their outputs.
    [[nodiscard]] std::filesystem::path videos() const { return folder_ / "videos"; }
    [[nodiscard]] std::filesystem::path latents() const { return folder_ / "latents"; }
    /// Encoded texts, kept until the job is complete.
    [[nodiscard]] std::filesystem::path conditioning() const { return folder_ / "conditioning"; }
    [[nodiscard]] std::filesystem::path latent(const std::string& id) const;
    [[nodiscard]] std::filesystem::path frames(const std::string& id) const;

    /// What is written besides the videos.
    struct Extras {
        bool latents = false;
        bool frames = false;
    };
    /// Makes the folder and those below it, and removes what a run that was killed left unfinished
    /// in them (names that begin with a dot and end with ".part"). Call it with the FolderLock
    /// held. \returns how many unfinished outputs were removed
    int prepare(const Extras& extras, FileSystem& files = posix_file_system()) const;

    /// Adds a file on the disk, with its size and checksum, to what a task made.
    /// \param file below the folder
    void add_file(TaskResult& result, const std::filesystem::path& file) const;

    enum class Check { sizes, checksums };
    /// Whether a task is done and all its files are there with the recorded sizes.
    [[nodiscard]] bool is_complete(const Record& record, Check check = Check::sizes) const;

    /// The tasks that still have to be done, in their order.
    [[nodiscard]] std::vector<Task> missing(const Ledger& ledger,
                                            const std::vector<Task>& tasks) const;

private:
    std::filesystem::path folder_;
};

}  // namespace reelyard::journal
