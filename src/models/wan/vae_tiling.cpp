#include "wan/vae_tiling.hpp"

#include <algorithm>

#include <ATen/ATen.h>

namespace reelyard::models::wan {
namespace {

constexpr std::int64_t row_axis = 3;
constexpr std::int64_t column_axis = 4;

/// Fades from the end of `before` into the start of `tile`, in place.
void blend(const at::Tensor& before,
           const at::Tensor& tile,
           std::int64_t axis,
           std::int64_t wanted) {
    const std::int64_t extent = std::min({before.size(axis), tile.size(axis), wanted});
    if (extent <= 0) {
        return;
    }
    std::vector<std::int64_t> shape(static_cast<std::size_t>(tile.dim()), 1);
    shape[static_cast<std::size_t>(axis)] = extent;
    const at::Tensor share =
        (at::arange(extent, tile.options()) / static_cast<double>(extent)).view(shape);
    const at::Tensor start = tile.narrow(axis, 0, extent);
    start.copy_(before.narrow(axis, before.size(axis) - extent, extent) * (1 - share) +
                start * share);
}

/// A copy of the last `length` rows or columns, so that the rest of the tile can be freed.
at::Tensor end_of(const at::Tensor& tile, std::int64_t axis, std::int64_t length) {
    const std::int64_t kept = std::min(tile.size(axis), length);
    return tile.narrow(axis, tile.size(axis) - kept, kept).clone();
}

}  // namespace

TileAxis make_tile_axis(const TileSizes& sizes,
                        const std::function<std::int64_t(std::int64_t)>& length_of) {
    TileAxis axis{.pieces = {}, .length_out = 0, .blend = sizes.tile_out - sizes.stride_out};
    for (std::int64_t first = 0; first < sizes.length_in; first += sizes.stride_in) {
        const std::int64_t length = std::min(sizes.tile_in, sizes.length_in - first);
        const std::int64_t kept =
            std::min({length_of(length), sizes.stride_out, sizes.length_out - axis.length_out});
        if (kept <= 0) {
            break;
        }
        axis.pieces.push_back({first, length, axis.length_out, kept});
        axis.length_out += kept;
    }
    return axis;
}

at::Tensor run_tiled(const at::Tensor& video,
                     const TileAxis& rows,
                     const TileAxis& columns,
                     const std::function<at::Tensor(const at::Tensor&)>& network) {
    at::Tensor result;
    std::vector<at::Tensor> above(columns.pieces.size());  // ends of the tiles of the row above
    for (const TileAxis::Piece& row : rows.pieces) {
        at::Tensor left;
        for (std::size_t j = 0; j < columns.pieces.size(); ++j) {
            const TileAxis::Piece& column = columns.pieces[j];
            const at::Tensor tile =
                network(video.narrow(row_axis, row.first_in, row.length_in)
                            .narrow(column_axis, column.first_in, column.length_in));
            if (above[j].defined()) {
                blend(above[j], tile, row_axis, rows.blend);
            }
            if (left.defined()) {
                blend(left, tile, column_axis, columns.blend);
            }
            above[j] = end_of(tile, row_axis, rows.blend);
            left = end_of(tile, column_axis, columns.blend);
            if (!result.defined()) {
                result = at::empty(
                    {tile.size(0), tile.size(1), tile.size(2), rows.length_out, columns.length_out},
                    tile.options());
            }
            result.narrow(row_axis, row.first_out, row.kept)
                .narrow(column_axis, column.first_out, column.kept)
                .copy_(tile.narrow(row_axis, 0, row.kept).narrow(column_axis, 0, column.kept));
        }
    }
    return result;
}

}  // namespace reelyard::models::wan
