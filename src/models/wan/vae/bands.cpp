#include "wan/vae/bands.hpp"

#include <utility>

#include <ATen/ATen.h>

#include "reelyard/base/error.hpp"

namespace reelyard::models::wan {
namespace {

constexpr int nobody = -1;
constexpr std::int64_t row_axis = 3;  // of [B, C, F, H, W]

/// Row `row` of each frame: [frames, B, W, C].
at::Tensor row_of(const nn::FrameList& frames, std::int64_t row) {
    std::vector<at::Tensor> rows;
    rows.reserve(frames.size());
    for (const at::Tensor& frame : frames) {
        rows.push_back(frame.select(1, row));
    }
    return at::stack(rows);
}

/// What is exchanged with each rank of a group: nothing but what is put in.
std::vector<at::Tensor> nothing(int ranks, const at::Tensor& like) {
    return std::vector<at::Tensor>(static_cast<std::size_t>(ranks), at::empty({0}, like.options()));
}

/// Puts rows of neighbours around each frame. \param above, below [frames, B, W, C], or undefined
void add_rows(nn::FrameList& frames, const at::Tensor& above, const at::Tensor& below) {
    for (std::size_t i = 0; i < frames.size(); ++i) {
        const auto number = static_cast<std::int64_t>(i);
        std::vector<at::Tensor> pieces{frames[i]};
        if (above.defined()) {
            pieces.insert(pieces.begin(), above[number].unsqueeze(1));
        }
        if (below.defined()) {
            pieces.push_back(below[number].unsqueeze(1));
        }
        frames[i] = pieces.size() > 1 ? at::cat(pieces, 1) : frames[i];
    }
}

}  // namespace

Bands::Bands(parallel::TensorComm& ranks, std::int64_t latent_rows)
    : ranks_(ranks)
    , latent_rows_(latent_rows)
    , above_(neighbour(-1))
    , below_(neighbour(1)) {}

Interval Bands::latent_rows_of(int rank) const {
    return shard_of(latent_rows_, 1, {.degree = ranks_.size(), .index = rank});
}

Interval Bands::rows_of(int rank, std::int64_t rows, std::int64_t scale) const {
    REELYARD_EXPECT(rows / scale == latent_rows_);
    const Interval latent = latent_rows_of(rank);
    const bool is_last = latent.end == latent_rows_ && latent.begin < latent.end;
    return {.begin = latent.begin * scale, .end = is_last ? rows : latent.end * scale};
}

int Bands::neighbour(int step) const {
    const auto has_rows = [&](int rank) {
        const Interval latent = latent_rows_of(rank);
        return latent.begin < latent.end;
    };
    if (!has_rows(ranks_.rank())) {
        return nobody;
    }
    for (int rank = ranks_.rank() + step; rank >= 0 && rank < ranks_.size(); rank += step) {
        if (has_rows(rank)) {
            return rank;
        }
    }
    return nobody;
}

Bands::Extended Bands::with_halo(nn::FrameList frames, const nn::FrameConvOptions& reach) const {
    if (ranks_.size() == 1) {
        return {.frames = std::move(frames), .halo = {}};
    }
    REELYARD_EXPECT(reach.pad_before <= 1 && reach.pad_after <= 1);
    std::vector<at::Tensor> sent = nothing(ranks_.size(), frames.front());
    std::vector<at::Tensor> received = sent;
    const auto count = static_cast<std::int64_t>(frames.size());
    const auto sizes = frames.front().sizes();
    const auto trade = [&](int rank, std::int64_t row, bool gives, bool takes) {
        if (rank != nobody) {
            const auto at = static_cast<std::size_t>(rank);
            sent[at] = gives ? row_of(frames, row) : sent[at];
            received[at] =
                takes ? at::empty({count, sizes[0], sizes[2], sizes[3]}, frames.front().options())
                      : received[at];
        }
    };
    // Who sees the row above gives its last row to the one below, and the other way round.
    trade(above_, 0, reach.pad_after > 0, reach.pad_before > 0);
    trade(below_, sizes[1] - 1, reach.pad_before > 0, reach.pad_after > 0);
    ranks_.all_to_all(sent, received);

    const bool has_above = above_ != nobody && reach.pad_before > 0;
    const bool has_below = below_ != nobody && reach.pad_after > 0;
    const auto halo_of = [&](bool is_there, int rank) {
        return is_there ? received[static_cast<std::size_t>(rank)] : at::Tensor();
    };
    add_rows(frames, halo_of(has_above, above_), halo_of(has_below, below_));
    return {.frames = std::move(frames), .halo = {.above = has_above, .below = has_below}};
}

Bands::Frame Bands::whole(const Frame& band) const {
    if (ranks_.size() == 1) {
        return band;
    }
    // The rows of the others are not known here: their scale depends on the layers before.
    const auto number = band.options().dtype(at::kLong);
    const at::Tensor own_rows = at::full({1}, band.size(1), number);
    std::vector<at::Tensor> rows;
    rows.reserve(static_cast<std::size_t>(ranks_.size()));
    for (int rank = 0; rank < ranks_.size(); ++rank) {
        rows.push_back(at::empty({1}, number));
    }
    ranks_.all_gather(own_rows, rows);
    std::vector<at::Tensor> parts;
    parts.reserve(rows.size());
    for (const at::Tensor& count : rows) {
        parts.push_back(
            at::empty({band.size(0), count.item<std::int64_t>(), band.size(2), band.size(3)},
                      band.options()));
    }
    ranks_.all_gather(band, parts);
    return at::cat(parts, 1);
}

std::vector<at::Tensor> Bands::parts_like(const at::Tensor& band,
                                          std::int64_t rows,
                                          std::int64_t scale) const {
    std::vector<at::Tensor> parts;
    for (int rank = 0; rank < ranks_.size(); ++rank) {
        const Interval part = rows_of(rank, rows, scale);
        std::vector<std::int64_t> shape = band.sizes().vec();
        shape[row_axis] = part.end - part.begin;
        parts.push_back(rank == ranks_.rank() ? band : at::empty(shape, band.options()));
    }
    return parts;
}

at::Tensor Bands::on_first(const at::Tensor& band, std::int64_t rows, std::int64_t scale) const {
    if (ranks_.size() == 1) {
        return band;
    }
    std::vector<at::Tensor> sent = nothing(ranks_.size(), band);
    if (ranks_.rank() > 0) {
        sent.front() = band;
        ranks_.all_to_all(sent, nothing(ranks_.size(), band));
        return {};
    }
    const std::vector<at::Tensor> parts = parts_like(band, rows, scale);
    sent.front() = band;
    ranks_.all_to_all(sent, parts);
    return at::cat(parts, row_axis);
}

at::Tensor Bands::on_all(const at::Tensor& band, std::int64_t rows, std::int64_t scale) const {
    if (ranks_.size() == 1) {
        return band;
    }
    const std::vector<at::Tensor> parts = parts_like(band, rows, scale);
    ranks_.all_gather(band, parts);
    return at::cat(parts, row_axis);
}

}  // namespace reelyard::models::wan
