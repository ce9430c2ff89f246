#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace reelyard {

/// How tensor parallelism cuts a weight.
enum class Split {
    none,     ///< every rank holds all of it
    rows,     ///< along dimension 0, the output features
    columns,  ///< along dimension 1, the input features
};

/// Which element type a tensor has while it is used.
enum class Precision {
    compute,       ///< the job's compute type
    keep_float32,  ///< float32 whatever the compute type: norms, modulation, time embedding, VAE
                   ///< ...
};

/// One tensor that a model's config calls for.
struct TensorSpec {
    std::string name;                 ///< as in the checkpoint, without the component's name
    std::vector<std::int64_t> shape;  ///< row-major, as in the checkpoint
    Split split = Split::none;
    Precision precision = Precision::compute;
    /// Slices of a split tensor begin at multiples of it: the width of a head where whole heads
    /// must stay together.
    std::int64_t split_unit = 1;
    /// Of a stack that a model goes through block by block, so that ranks may share out its
    /// weights.
    std::optional<int> block = {};
};

/// Number of elements of a shape; 1 for a scalar.
[[nodiscard]] std::int64_t element_count(const std::vector<std::int64_t>& shape);

/// "[5120, 16, 1, 2, 2]".
[[nodiscard]] std::string to_string(const std::vector<std::int64_t>& shape);

}  // namespace reelyard
