#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <c10/core/Device.h>

#include "reelyard/mpi/communicator.hpp"
#include "reelyard/spec/dtype.hpp"
#include "reelyard/spec/model_spec.hpp"
#include "reelyard/store/store_file.hpp"
#include "reelyard/store/weight_set.hpp"

namespace reelyard::store {

/// How a component is loaded.
struct LoadOptions {
    DType compute = DType::float32;  ///< type of the tensors that the model computes with
    c10::Device device = c10::Device(c10::kCPU);
    /// Which tensors are wanted; all when empty. The others are not read.
    std::function<bool(const std::string& name)> wanted = {};
    bool verify = false;  ///< compare every tensor with its checksum
    std::string transport = "collective";
};

/// What loading cost.
struct LoadReport {
    std::int64_t bytes_used = 0;  ///< of the tensors that were wanted
    std::int64_t bytes_read = 0;  ///< that this rank took from storage
    double read_seconds = 0.0;
    double exchange_seconds = 0.0;
    double convert_seconds = 0.0;
};

struct LoadedWeights {
    WeightSet weights;
    LoadReport report;
};

/// Loads the weights of one component onto every rank of `world`. Collective: each byte is read
/// from storage by one rank, in large pieces, and handed to the others. Where nothing is to be
/// converted, the tensors are views into the one buffer that was read into; where something is, the
/// memory needed beyond the result is that buffer, given back as the conversion goes on. Weights
/// that are stored transposed are views with swapped strides. \throws Error (input) when store and
/// spec do not agree, or a checksum is wrong; Error (storage), Error (resources)
[[nodiscard]] LoadedWeights load_component(const StoreFile& file,
                                           const ComponentSpec& spec,
                                           const mpi::Communicator& world,
                                           const LoadOptions& options);

/// Called on every rank, now and then, with the bytes of all ranks.
using VerifyProgress = std::function<void(std::int64_t done_bytes, std::int64_t total_bytes)>;

/// Compares every tensor of the store with its checksum. Collective: the ranks share the work.
/// \returns the tensors that differ, as "component/tensor"; the same on all ranks
[[nodiscard]] std::vector<std::string> find_corrupted_tensors(const StoreFile& file,
                                                              const mpi::Communicator& world,
                                                              const VerifyProgress& progress);

}  // namespace reelyard::store
