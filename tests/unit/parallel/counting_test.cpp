#include <cstdint>
#include <new>

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

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

/// Memory that is there in name only: it is never looked at.
class UntouchedMemory {
public:
    explicit UntouchedMemory(std::int64_t bytes)
        : bytes_(static_cast<std::size_t>(bytes))
        , memory_(mmap(nullptr, bytes_, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {
        if (memory_ == MAP_FAILED) {
            throw std::bad_alloc();
        }
    }
    UntouchedMemory(const UntouchedMemory&) = delete;
    UntouchedMemory& operator=(const UntouchedMemory&) = delete;
    ~UntouchedMemory() { munmap(memory_, bytes_); }

    [[nodiscard]] at::Tensor as_bytes() const {
        return at::from_blob(memory_, {static_cast<std::int64_t>(bytes_)}, at::kByte);
    }

private:
    std::size_t bytes_;
    void* memory_;
};

TEST(CountingBackend, counts_more_than_2_to_the_31_elements) {
    const std::int64_t bytes = std::int64_t{5} << 30;  // more than 2^32
    const UntouchedMemory memory(bytes);
    const at::Tensor data = memory.as_bytes();
    const TensorComm::Tensors parts = data.chunk(64);

    EXPECT_EQ(received_bytes(5, "rotate", [&](TensorComm& comm) { comm.rotate(data, data); }),
              bytes);
    EXPECT_EQ(received_bytes(5, "broadcast", [&](TensorComm& comm) { comm.broadcast(data, 3); }),
              bytes);
    EXPECT_EQ(received_bytes(
                  5, "all-gather", [&](TensorComm& comm) { comm.all_gather(parts[5], parts); }),
              bytes / 64 * 63);
}

}  // namespace
}  // namespace reelyard::parallel
