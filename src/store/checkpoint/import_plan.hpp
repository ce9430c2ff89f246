#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "reelyard/spec/model_spec.hpp"
#include "reelyard/store/checkpoint/checkpoint_importer.hpp"
#include "reelyard/store/safetensors_file.hpp"
#include "reelyard/store/store_index.hpp"

namespace reelyard::store {

/// What becomes of one tensor of the checkpoint.
struct PlannedTensor {
    std::size_t file = 0;       ///< in ImportPlan::files
    SafetensorsEntry source;    ///< where it lies there
    bool is_stored = true;      ///< false for a second name of a tensor that is stored already
    std::size_t component = 0;  ///< where it goes, in ImportPlan::index
    std::size_t tensor = 0;
};

/// An import, decided before the first weight is read.
struct ImportPlan {
    StoreIndex index;                    ///< complete but for the checksums of tensors and sources
    std::vector<SafetensorsFile> files;  ///< as StoreIndex::sources
    std::vector<PlannedTensor> tensors;  ///< every tensor of every file, in the order of files and
                                         ///< bytes
};

/// \throws Error (input) that lists every tensor that is missing, unexpected, or of a shape or
/// dtype that does not fit
[[nodiscard]] ImportPlan plan_import(const ImportRequest& request,
                                     const CheckpointConfig& config,
                                     const ModelSpec& model);

/// How a tensor lies in a store: a matrix that is cut along its columns transposed. Without place
/// and checksums.
[[nodiscard]] StoredTensor stored_form(const TensorSpec& spec, DType dtype);

/// The small files of a checkpoint, as the index names them.
[[nodiscard]] std::vector<StoredFile> describe_files(const CheckpointConfig& config);

/// A run of PlannedTensor, [begin, end).
struct Share {
    std::size_t begin = 0;
    std::size_t end = 0;
};

/// Cuts the tensors into one run per rank with about equal bytes.
[[nodiscard]] std::vector<Share> share_out(const std::vector<PlannedTensor>& tensors, int ranks);

}  // namespace reelyard::store
