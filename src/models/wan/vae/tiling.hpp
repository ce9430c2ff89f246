#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include <ATen/core/Tensor.h>

#include "reelyard/parallel/tensor_comm.hpp"

namespace reelyard::models::wan {

/// How one axis is cut into overlapping tiles and put together again.
struct TileAxis {
    struct Piece {
        std::int64_t first_in;    ///< of the input
        std::int64_t length_in;   ///< of the input
        std::int64_t length_out;  ///< of what the network makes of it
        std::int64_t first_out;   ///< of the result
        std::int64_t kept;        ///< length that goes into the result
    };
    std::vector<Piece> pieces;
    std::int64_t length_out;  ///< of the result
    std::int64_t blend;       ///< of the result: over how far a tile is blended into the one before
};

/// Sizes along an axis, before and after the network.
struct TileSizes {
    std::int64_t length_in;
    std::int64_t length_out;
    std::int64_t tile_in;
    std::int64_t stride_in;
    std::int64_t tile_out;
    std::int64_t stride_out;
};

/// \param length_of the network's result for an input of that length
[[nodiscard]] TileAxis make_tile_axis(const TileSizes& sizes,
                                      const std::function<std::int64_t(std::int64_t)>& length_of);

/// What is to be tiled, and how.
struct TiledVideo {
    const at::Tensor& video;  ///< [B, C, F, H, W]
    TileAxis rows;
    TileAxis columns;
};

/// Runs a network over tiles and blends them: linearly over the overlap, first with the tile above,
/// then with the tile to the left.
///
/// Each tile goes through the network with its whole length in time before the next one starts.
/// What must be held is thus the state of one tile and the result, which has far fewer channels
/// than the state that all tiles would need at once. The ranks of a group take turns: each runs
/// one tile, and the first blends them in the order of one rank. Collective.
/// \param network takes a tile [B, C, F, H', W'] and gives [B, O, T, h', w']
/// \returns on the first rank [B, O, T, rows.length_out, columns.length_out]
[[nodiscard]] at::Tensor run_tiled(const TiledVideo& tiled,
                                   const std::function<at::Tensor(const at::Tensor&)>& network,
                                   parallel::TensorComm& ranks);

}  // namespace reelyard::models::wan
