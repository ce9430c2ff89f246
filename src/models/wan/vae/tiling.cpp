#include "wan/vae/tiling.hpp"

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

/// Puts tiles together that come row by row.
class Mosaic {
public:
    Mosaic(const TileAxis& rows, const TileAxis& columns)
        : rows_(rows)
        , columns_(columns)
        , above_(columns.pieces.size()) {}

    /// \param tile the next one; written
    void add(const at::Tensor& tile) {
        const TileAxis::Piece& row = rows_.pieces[next_ / above_.size()];
        const TileAxis::Piece& column = columns_.pieces[next_ % above_.size()];
        at::Tensor& above = above_[next_ % above_.size()];
        if (above.defined()) {
            blend(above, tile, row_axis, rows_.blend);
        }
        if (next_ % above_.size() > 0) {
            blend(left_, tile, column_axis, columns_.blend);
        }
        above = end_of(tile, row_axis, rows_.blend);
        left_ = end_of(tile, column_axis, columns_.blend);
        if (!result_.defined()) {
            result_ = at::empty(
                {tile.size(0), tile.size(1), tile.size(2), rows_.length_out, columns_.length_out},
                tile.options());
        }
        result_.narrow(row_axis, row.first_out, row.kept)
            .narrow(column_axis, column.first_out, column.kept)
            .copy_(tile.narrow(row_axis, 0, row.kept).narrow(column_axis, 0, column.kept));
        ++next_;
    }

    [[nodiscard]] const at::Tensor& result() const { return result_; }

private:
    const TileAxis& rows_;
    const TileAxis& columns_;
    std::vector<at::Tensor> above_;  ///< ends of the tiles of the row above
    at::Tensor left_;                ///< end of the tile to the left
    at::Tensor result_;
    std::size_t next_ = 0;
};

/// Collects what each rank has made of tiles `first`, `first + 1`, ... on the first rank.
/// \param own the tile of this rank; undefined when there was none left for it
std::vector<at::Tensor> on_first(const at::Tensor& own,
                                 const TiledVideo& tiled,
                                 std::size_t first,
                                 parallel::TensorComm& ranks) {
    if (ranks.size() == 1) {
        return {own};
    }
    const std::size_t columns = tiled.columns.pieces.size();
    const std::size_t count = columns * tiled.rows.pieces.size();
    const at::Tensor none = at::empty({0}, tiled.video.options());
    const at::Tensor given = own.defined() ? own.contiguous() : none;
    std::vector<at::Tensor> sent(static_cast<std::size_t>(ranks.size()), none);
    std::vector<at::Tensor> received = sent;
    sent.front() = given;
    if (ranks.rank() == 0) {
        received.resize(std::min(received.size(), count - first));
        received.front() = given;
        for (std::size_t i = 1; i < received.size(); ++i) {
            const std::int64_t rows = tiled.rows.pieces[(first + i) / columns].length_out;
            const std::int64_t width = tiled.columns.pieces[(first + i) % columns].length_out;
            received[i] = at::empty({given.size(0), given.size(1), given.size(2), rows, width},
                                    given.options());
        }
    }
    std::vector<at::Tensor> tiles = received;
    received.resize(sent.size(), none);
    ranks.all_to_all(sent, received);
    return ranks.rank() == 0 ? tiles : std::vector<at::Tensor>{};
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
        axis.pieces.push_back({first, length, length_of(length), axis.length_out, kept});
        axis.length_out += kept;
    }
    return axis;
}

at::Tensor run_tiled(const TiledVideo& tiled,
                     const std::function<at::Tensor(const at::Tensor&)>& network,
                     parallel::TensorComm& ranks) {
    const std::size_t columns = tiled.columns.pieces.size();
    const std::size_t count = columns * tiled.rows.pieces.size();
    Mosaic mosaic(tiled.rows, tiled.columns);
    for (std::size_t first = 0; first < count; first += static_cast<std::size_t>(ranks.size())) {
        const std::size_t own = first + static_cast<std::size_t>(ranks.rank());
        at::Tensor tile;
        if (own < count) {
            const TileAxis::Piece& row = tiled.rows.pieces[own / columns];
            const TileAxis::Piece& column = tiled.columns.pieces[own % columns];
            tile = network(tiled.video.narrow(row_axis, row.first_in, row.length_in)
                               .narrow(column_axis, column.first_in, column.length_in));
        }
        for (const at::Tensor& made : on_first(tile, tiled, first, ranks)) {
            mosaic.add(made);
        }
    }
    return mosaic.result();
}

}  // namespace reelyard::models::wan
