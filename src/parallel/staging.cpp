#include "staging.hpp"

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>

#include <ATen/ATen.h>

#include "reelyard/base/bytes.hpp"

namespace reelyard::parallel {
namespace {

// Messages of nearly the same size, such as uneven parts, share blocks.
constexpr std::int64_t granularity = mebibyte;

}  // namespace

at::Tensor Staging::Block::as(const at::Tensor& like) const {
    return memory.narrow(0, 0, static_cast<std::int64_t>(like.nbytes()))
        .view(like.scalar_type())
        .view(like.sizes());
}

std::unique_ptr<Staging::Block> Staging::take(const at::Tensor& like) {
    const std::int64_t bytes = align_up(static_cast<std::int64_t>(like.nbytes()), granularity);
    const auto fitting = std::find_if(free_.begin(), free_.end(), [&](const auto& block) {
        return block->memory.numel() >= bytes;
    });
    if (fitting != free_.end()) {
        auto block = std::move(*fitting);
        free_.erase(fitting);
        return block;
    }
    auto block = std::make_unique<Block>();
    block->memory = at::empty({bytes}, at::kByte);
    block->pinned = std::make_unique<device::PinnedMemory>(
        std::span(static_cast<std::byte*>(block->memory.mutable_data_ptr()),
                  static_cast<std::size_t>(bytes)),
        like.device());
    return block;
}

void Staging::give_back(std::unique_ptr<Block> block) {
    const auto larger = std::find_if(free_.begin(), free_.end(), [&](const auto& other) {
        return other->memory.numel() >= block->memory.numel();
    });
    free_.insert(larger, std::move(block));
}

}  // namespace reelyard::parallel
