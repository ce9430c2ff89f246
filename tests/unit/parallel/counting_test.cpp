#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "reelyard/parallel/counting_backend.hpp"
#include "reelyard/parallel/tensor_comm.hpp"

namespace reelyard::parallel {
namespace {

/// Bytes that rank `rank` of 64 receives.
template <typename Operation>
std::int64_t received_bytes(int rank, const std::string& name, const Operation& operation) {
    TensorComm comm("imagined", make_counting_backend(rank, 64), 1.0);
    operation(comm);
    return comm.volumes().at(name).bytes;
}

TEST(CountingBackend, tells_the_volume_of_64_ranks_on_one) {
    const std::int64_t bytes = 6400 * 4;
    const at::Tensor data = at::zeros({6400}, at::kFloat);
    const TensorComm::Tensors parts = data.chunk(64);

    EXPECT_EQ(received_bytes(5, "all-reduce", [&](TensorComm& comm) { comm.all_reduce(data); }),
              2 * bytes * 63 / 64);
    EXPECT_EQ(received_bytes(
                  5, "all-gather", [&](TensorComm& comm) { comm.all_gather(parts[5], parts); }),
              bytes * 63 / 64);
    EXPECT_EQ(received_bytes(5,
                             "reduce-scatter",
                             [&](TensorComm& comm) {
                                 comm.reduce_scatter(parts, at::empty({100}, at::kFloat));
                             }),
              bytes * 63 / 64);
    EXPECT_EQ(
        received_bytes(5, "all-to-all", [&](TensorComm& comm) { comm.all_to_all(parts, parts); }),
        bytes * 63 / 64);
    EXPECT_EQ(received_bytes(5, "broadcast", [&](TensorComm& comm) { comm.broadcast(data, 3); }),
              bytes);
    EXPECT_EQ(received_bytes(3, "broadcast", [&](TensorComm& comm) { comm.broadcast(data, 3); }),
              0);
    EXPECT_EQ(received_bytes(5, "rotate", [&](TensorComm& comm) { comm.rotate(data, data); }),
              bytes);
}

}  // namespace
}  // namespace reelyard::parallel
