#include "comm_operations.hpp"

#include <array>

#include <ATen/ATen.h>

#include "reelyard/spec/shard.hpp"

namespace reelyard::cli {
namespace {

using parallel::TensorComm;

const at::Tensor& own_part(const TensorComm& comm, const CommBuffers& buffers) {
    return buffers.parts[static_cast<std::size_t>(comm.rank())];
}

constexpr std::array operations{
    CommOperation{"all-reduce",
                  true,
                  [](TensorComm& comm, const CommBuffers& buffers) {
                      comm.all_reduce(buffers.whole);
                  }},
    CommOperation{"all-gather",
                  true,
                  [](TensorComm& comm, const CommBuffers& buffers) {
                      comm.all_gather(own_part(comm, buffers), buffers.parts);
                  }},
    CommOperation{"reduce-scatter",
                  true,
                  [](TensorComm& comm, const CommBuffers& buffers) {
                      comm.reduce_scatter(buffers.parts, buffers.sum);
                  }},
    CommOperation{"all-to-all",
                  true,
                  [](TensorComm& comm, const CommBuffers& buffers) {
                      comm.all_to_all(buffers.parts, buffers.received);
                  }},
    CommOperation{"broadcast",
                  true,
                  [](TensorComm& comm, const CommBuffers& buffers) {
                      comm.broadcast(buffers.whole, 0);
                  }},
    CommOperation{"rotate",
                  true,
                  [](TensorComm& comm, const CommBuffers& buffers) {
                      comm.rotate(buffers.whole, buffers.other);
                  }},
    CommOperation{"barrier",
                  false,
                  [](TensorComm& comm, const CommBuffers& /*buffers*/) {
                      comm.barrier();
                  }},
};

}  // namespace

CommBuffers::CommBuffers(std::int64_t elements,
                         const at::TensorOptions& options,
                         const TensorComm& comm)
    : whole(at::zeros({elements}, options))
    , other(at::zeros({elements}, options)) {
    const Interval own = shard_of(elements, 1, {.degree = comm.size(), .index = comm.rank()});
    for (int rank = 0; rank < comm.size(); ++rank) {
        const Interval share = shard_of(elements, 1, {.degree = comm.size(), .index = rank});
        parts.push_back(whole.narrow(0, share.begin, share.end - share.begin));
        received.push_back(at::zeros({own.end - own.begin}, options));
    }
    sum = at::zeros({own.end - own.begin}, options);
}

std::span<const CommOperation> comm_operations() {
    return operations;
}

}  // namespace reelyard::cli
