#include "reelyard/nn/split/block_gather.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include <ATen/ATen.h>

#include "reelyard/base/error.hpp"
#include "reelyard/base/log.hpp"

namespace reelyard::nn {

BlockGather::BlockGather(std::vector<Block> blocks, parallel::TensorComm& ranks)
    : blocks_(std::move(blocks))
    , ranks_(ranks)
    , under_way_(blocks_.size()) {
    REELYARD_EXPECT(!blocks_.empty());
    std::int64_t largest = 0;
    for (const Block& block : blocks_) {
        largest = std::max(largest, block.cuts.back());
    }
    for (at::Tensor& buffer : buffers_) {
        buffer = at::empty({largest}, blocks_.front().own.options());
    }
}

BlockGather::~BlockGather() {
    if (std::uncaught_exceptions() > 0) {
        return;  // the others may be gone
    }
    try {
        pending_.wait();
    } catch (const std::exception& error) {
        log::local_warning("{}", error.what());
    }
}

at::Tensor BlockGather::next_buffer(std::size_t index) const {
    return buffers_.at(next_).narrow(0, 0, blocks_[index].cuts.back());
}

void BlockGather::start(std::size_t index) {
    const Block& block = blocks_[index];
    REELYARD_EXPECT(static_cast<int>(block.cuts.size()) == ranks_.size() + 1);
    const at::Tensor whole = next_buffer(index);
    parallel::TensorComm::Tensors parts;
    for (std::size_t rank = 0; rank + 1 < block.cuts.size(); ++rank) {
        parts.push_back(whole.narrow(0, block.cuts[rank], block.cuts[rank + 1] - block.cuts[rank]));
    }
    pending_ = ranks_.start_all_gather(block.own, parts);
    under_way_ = index;
}

at::Tensor BlockGather::take(std::size_t index) {
    REELYARD_EXPECT(index < blocks_.size());
    pending_.wait();
    if (under_way_ != index) {  // the first of all, or the last pass was broken off
        REELYARD_EXPECT(index == 0);
        start(index);
        pending_.wait();
    }
    at::Tensor whole = next_buffer(index);
    next_ = 1 - next_;
    start((index + 1) % blocks_.size());
    return whole;
}

void BlockGather::progress() {
    (void)pending_.test();
}

std::int64_t BlockGather::held_bytes() const {
    std::int64_t bytes = 0;
    for (const Block& block : blocks_) {
        bytes += block.own.numel();
    }
    return bytes + buffers_[0].numel() + buffers_[1].numel();
}

}  // namespace reelyard::nn
