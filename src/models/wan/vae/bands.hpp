#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "reelyard/nn/frame_conv.hpp"
#include "reelyard/parallel/tensor_comm.hpp"
#include "reelyard/spec/shard.hpp"

namespace reelyard::models::wan {

/// A picture whose rows are cut into bands, one for each rank of a group, and what the ranks tell
/// one another of them.
///
/// Bands begin at whole rows of the latent, so that no layer's pixels are shared; the last one also
/// has the rows that are too few for one more row of the latent. With more ranks than rows some
/// bands are empty: their ranks go through the same layers with frames of no rows. All calls are
/// collective over the group.
class Bands {
public:
    using Frame = at::Tensor;  ///< [B, H, W, C] float32, contiguous, H rows of the rank's band

    /// Frames and their halo, whose rows are part of them.
    struct Extended {
        nn::FrameList frames;
        nn::RowHalo halo;
    };

    /// \param ranks outlives this object \param latent_rows of the whole picture
    Bands(parallel::TensorComm& ranks, std::int64_t latent_rows);

    /// This rank's rows of a picture. \param rows of the whole picture \param scale rows of it for
    /// each row of the latent
    [[nodiscard]] Interval rows(std::int64_t rows, std::int64_t scale) const {
        return rows_of(ranks_.rank(), rows, scale);
    }

    /// Adds the rows next to the band that a convolution sees, a row on each side that it pads;
    /// none at the borders of the picture.
    [[nodiscard]] Extended with_halo(nn::FrameList frames, const nn::FrameConvOptions& reach) const;

    /// The whole frame on all ranks.
    [[nodiscard]] Frame whole(const Frame& band) const;

    /// Puts pictures together on the first rank; nothing on the others.
    /// \param band [B, C, F, H, W], H rows of this rank's band \param rows, scale as in rows()
    [[nodiscard]] at::Tensor on_first(const at::Tensor& band,
                                      std::int64_t rows,
                                      std::int64_t scale) const;
    /// The same on all ranks.
    [[nodiscard]] at::Tensor on_all(const at::Tensor& band,
                                    std::int64_t rows,
                                    std::int64_t scale) const;

private:
    [[nodiscard]] Interval latent_rows_of(int rank) const;
    [[nodiscard]] Interval rows_of(int rank, std::int64_t rows, std::int64_t scale) const;
    /// The next rank with rows in a direction; -1: there is none, or this rank has no rows itself.
    [[nodiscard]] int neighbour(int step) const;
    /// Room for what each rank has of a picture like `band`.
    [[nodiscard]] std::vector<at::Tensor> parts_like(const at::Tensor& band,
                                                     std::int64_t rows,
                                                     std::int64_t scale) const;

    parallel::TensorComm& ranks_;
    std::int64_t latent_rows_;
    int above_;  ///< rank whose band lies above this one's, or -1
    int below_;
};

}  // namespace reelyard::models::wan
