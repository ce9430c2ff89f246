#pragma once

#include <cstdint>
#include <string>

#include <c10/core/Device.h>

#include "reelyard/jobs/job_options.hpp"
#include "reelyard/models/model_family.hpp"
#include "reelyard/mpi/communicator.hpp"
#include "reelyard/spec/dtype.hpp"
#include "reelyard/spec/model_spec.hpp"
#include "reelyard/store/store_file.hpp"
#include "reelyard/store/weight_loader.hpp"
#include "reelyard/trace/recorder.hpp"

namespace reelyard::cli {

/// A model in its store, and how this job uses it. Loads components and adds up what that costs.
class ModelSource {
public:
    struct Use {
        DType dtype = DType::bfloat16;
        c10::Device device = c10::Device(c10::kCPU);
        jobs::LoadingOptions load = {};
        trace::Recorder* recorder = nullptr;  ///< none: nothing is recorded
    };

    /// Opens the store, or the copy of it that every node has, and describes the model; collective.
    /// \throws Error (input) on all ranks
    ModelSource(const std::filesystem::path& store, const mpi::Communicator& world, Use use);

    [[nodiscard]] const store::StoreFile& file() const { return file_; }
    [[nodiscard]] const models::ModelFamily& family() const { return family_; }
    [[nodiscard]] const ModelSpec& spec() const { return spec_; }
    [[nodiscard]] const Use& use() const { return use_; }

    /// Which part of a component is needed.
    enum class Part { all, decoding };

    /// Collective over the world that the source was opened with.
    [[nodiscard]] store::WeightSet load(const std::string& component, Part part = Part::all);

    /// A component as the ranks of a video hold it. Collective, as load().
    /// \param slice of the weights that are split between ranks \param block_part of each block's,
    /// or of the slice of them
    [[nodiscard]] store::LoadedWeights load_part(const std::string& component,
                                                 Shard slice,
                                                 Shard block_part);

    /// What all calls of load() cost this rank so far.
    [[nodiscard]] const store::LoadReport& totals() const { return totals_; }

private:
    [[nodiscard]] store::LoadOptions options() const;
    [[nodiscard]] store::LoadedWeights load_as(const std::string& component,
                                               const store::LoadOptions& options);

    const mpi::Communicator& world_;
    store::StoreFile file_;
    const models::ModelFamily& family_;
    ModelSpec spec_;
    Use use_;
    store::LoadReport totals_;
};

}  // namespace reelyard::cli
