#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>

#include "reelyard/mpi/communicator.hpp"
#include "reelyard/spec/checkpoint_config.hpp"
#include "reelyard/spec/dtype.hpp"
#include "reelyard/spec/model_spec.hpp"

namespace reelyard::store {

/// What an import turns into what.
struct ImportRequest {
    std::filesystem::path checkpoint;  ///< a folder in the diffusers layout
    std::filesystem::path output;      ///< the weight store to make; an older one is replaced
    /// Element type of the tensors that the model computes with; as they are when nothing. Tensors
    /// that it keeps in float32 stay as they are in any case.
    std::optional<DType> dtype = std::nullopt;
};

struct ImportReport {
    std::int64_t tensors = 0;
    std::int64_t bytes_read = 0;     ///< of the checkpoint's weights, over all ranks
    std::int64_t bytes_written = 0;  ///< size of the store
    double seconds = 0.0;
};

/// Called on every rank, now and then, with the bytes of all ranks.
using ImportProgress = std::function<void(std::int64_t done_bytes, std::int64_t total_bytes)>;

/// Makes a weight store of a checkpoint. Collective: the ranks share the work by bytes. Each needs
/// the memory of the largest weight that is stored transposed, and some 100 MiB.
///
/// The store is whole under its name when this returns; when it throws, nothing is left and an
/// older one is untouched. The same checkpoint gives the same bytes on any number of ranks. \param
/// config of the checkpoint, from read_checkpoint_config() \param model what the family says of
/// `config` \throws Error (input) on all ranks when tensors are missing, unexpected, of another
/// shape or of a dtype that is not supported, all of them named; Error (resources) when the disk is
/// full; Error (stopped) after a signal
ImportReport import_checkpoint(const ImportRequest& request,
                               const CheckpointConfig& config,
                               const ModelSpec& model,
                               const mpi::Communicator& world,
                               const ImportProgress& progress);

}  // namespace reelyard::store
