#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "reelyard/base/file_system.hpp"
#include "reelyard/journal/ledger.hpp"
#include "reelyard/spec/task.hpp"

namespace reelyard::journal {

/// What a job is, for telling whether a folder belongs to it.
struct JobDescription {
    /// Keys as in the job file with their values as text ("generate.steps", "30"), and what else
    /// identifies it ("model.checksum"), the most telling first.
    std::vector<std::pair<std::string, std::string>> settings;
    std::string program;  ///< version; kept for the reader, not compared
};

/// Compares a job with the one that `job_file` was written for, or writes it when there is none.
/// \throws Error (input) naming the first setting that differs
void check_same_job(const std::filesystem::path& job_file,
                    const JobDescription& job,
                    FileSystem& files = posix_file_system());

/// Compares tasks with the records of those that are done. Tasks that are new, that failed, or that
/// the list no longer has are no difference.
/// \param manifest only for messages
/// \throws Error (input) naming id and field of the first difference
void check_same_tasks(const Ledger& ledger,
                      const std::vector<Task>& tasks,
                      const Maker& maker,
                      const std::filesystem::path& manifest);

}  // namespace reelyard::journal
