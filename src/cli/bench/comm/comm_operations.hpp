#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <ATen/core/Tensor.h>

#include "reelyard/parallel/tensor_comm.hpp"

namespace reelyard::cli {

/// The data of all operations at one size.
struct CommBuffers {
    at::Tensor whole;                  ///< [elements]
    std::vector<at::Tensor> parts;     ///< [rank]: shares of it
    at::Tensor other;                  ///< [elements], memory of its own
    std::vector<at::Tensor> received;  ///< [rank]: this rank's share of each rank's data
    at::Tensor sum;                    ///< as this rank's share

    /// Zeros. \param comm the group that they are for
    CommBuffers(std::int64_t elements,
                const at::TensorOptions& options,
                const parallel::TensorComm& comm);
};

/// An operation of a group that is measured.
struct CommOperation {
    std::string_view name;  ///< as in TensorComm::volumes()
    bool has_size;          ///< whether it moves data
    void (*run)(parallel::TensorComm& comm, const CommBuffers& buffers);
};

[[nodiscard]] std::span<const CommOperation> comm_operations();

}  // namespace reelyard::cli
