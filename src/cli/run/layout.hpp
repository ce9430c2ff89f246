#pragma once

#include <vector>

#include "reelyard/jobs/job_options.hpp"
#include "reelyard/mpi/communicator.hpp"
#include "reelyard/plan/layout_chooser.hpp"
#include "reelyard/spec/task.hpp"

#include "model_source.hpp"
#include "prepared_job.hpp"

namespace reelyard::cli {

/// What tasks ask of their ranks.
[[nodiscard]] plan::Workload workload_of(const std::vector<Task>& tasks,
                                         const ModelSpec& model,
                                         const jobs::JobOptions& job);

/// [parallel] as the chooser reads it. A sequence batch needs both branches on one rank: it makes
/// `auto` choose a cfg of 1.
[[nodiscard]] plan::LayoutWish wish_of(const jobs::JobOptions& job);

/// One line where CFG parallelism, asked for beside it, leaves nothing for a sequence batch to do.
void tell_of_sequence_batch(const jobs::JobOptions& job, const ParallelLayout& layout);

/// The inventory with its ranks in the order of the places that they take; those without a place
/// behind them.
[[nodiscard]] topology::Inventory in_order(const topology::Inventory& inventory,
                                           const std::vector<int>& placement);

/// A layout on the ranks of a job.
struct PlacedLayout {
    ParallelLayout layout;
    std::vector<int> ranks;  ///< at each place
};

/// What the job asks for and, where it leaves something open, what suits all its prompts, done ones
/// included, so that a rerun has the same layout. Says in one line what was chosen and why.
/// Collective. \param inventory of the job's ranks \throws Error (usage) with the nearest layouts
/// that work
[[nodiscard]] PlacedLayout choose_layout(const mpi::Communicator& world,
                                         const topology::Inventory& inventory,
                                         const jobs::JobOptions& options,
                                         const PreparedJob& job,
                                         const ModelSource& model);

}  // namespace reelyard::cli
