#pragma once

#include <memory>
#include <string>
#include <vector>

#include "reelyard/jobs/job_options.hpp"
#include "reelyard/journal/folder_lock.hpp"
#include "reelyard/journal/output_store.hpp"
#include "reelyard/journal/record.hpp"
#include "reelyard/mpi/communicator.hpp"
#include "reelyard/spec/model_spec.hpp"
#include "reelyard/spec/task.hpp"
#include "reelyard/store/store_file.hpp"

namespace reelyard::cli {

/// Names that a job may choose from, as the modules register them.
[[nodiscard]] jobs::KnownNames known_names();

/// A job that has been checked as far as it can be without weights.
struct PreparedJob {
    journal::Maker maker;
    std::vector<Task> remaining;  ///< what is to be made, the same on every rank
    std::vector<Task> tasks;      ///< all, on rank 0 only
    std::unique_ptr<journal::FolderLock>
        folder_lock;  ///< on rank 0 only; held until the end of the run

    /// One of `remaining` by its id.
    [[nodiscard]] const Task& task(const std::string& id) const;
};

/// Rank 0 reads the prompts, makes the tasks, takes the output folder and finds out what is
/// missing; all ranks learn what is to be made. Collective. \throws Error on all ranks: every
/// mistake of the prompt list at once, a folder of another job, a folder in use
[[nodiscard]] PreparedJob prepare_job(const mpi::Communicator& world,
                                      const jobs::JobOptions& options,
                                      const store::StoreFile& store,
                                      const ModelSpec& model);

}  // namespace reelyard::cli
