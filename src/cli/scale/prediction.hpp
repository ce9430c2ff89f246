#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "reelyard/models/model_family.hpp"
#include "reelyard/plan/machine_speed.hpp"
#include "reelyard/report/scaling_table.hpp"

#include "machine.hpp"
#include "scale_settings.hpp"

namespace reelyard::cli {

/// What runs on few ranks say of more, and of other hardware (docs/design/cost_model.md).
class Prediction {
public:
    /// Reads job and model, and lays out what is to be predicted, so that what cannot be is said
    /// before anything runs. \param settings outlive it \throws Error (usage, input)
    Prediction(const ScaleSettings& settings, const mpi::Communicator& alone);

    /// \param runs of the same study \throws Error (input) when they do not tell enough
    [[nodiscard]] report::ScalingRows rows(const std::vector<report::RunRecord>& runs) const;

private:
    /// The job on some ranks.
    struct Case {
        topology::Inventory inventory;  ///< ranks in the order of their places
        plan::Workload workload;
        std::vector<plan::StepKind> steps;
        ParallelLayout layout;

        [[nodiscard]] bool is_on_gpus() const { return inventory.ranks.front().gpu >= 0; }
        [[nodiscard]] int nodes() const { return static_cast<int>(inventory.nodes.size()); }
    };

    [[nodiscard]] const Machine& machine() const { return described_ ? *described_ : here_; }
    [[nodiscard]] jobs::JobOptions job_for(int ranks) const;
    /// With the tasks of the job; no layout yet.
    [[nodiscard]] Case unplaced(const jobs::JobOptions& job, topology::Inventory inventory) const;
    [[nodiscard]] Case as_run(const report::RunRecord& run) const;
    [[nodiscard]] Case as_chosen(int ranks, int per_node) const;
    [[nodiscard]] int ranks_per_node(int usual_here) const;

    [[nodiscard]] plan::Site site_of(const Case& job) const;
    [[nodiscard]] plan::StepCost cost_of(const Case& job) const;
    [[nodiscard]] std::int64_t memory_of(const Case& job) const;
    [[nodiscard]] double network_seconds(int nodes, DType compute) const;
    [[nodiscard]] plan::MachineSpeed speed_from(const std::vector<report::RunRecord>& runs) const;
    void check_devices(const report::RunRecord& run, const Case& job) const;

    const ScaleSettings& settings_;
    jobs::ModelOptions source_;
    Machine here_;
    std::optional<Machine> described_;
    ModelSpec model_;
};

}  // namespace reelyard::cli
