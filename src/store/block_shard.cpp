#include "reelyard/store/block_shard.hpp"

#include <map>

#include <ATen/ATen.h>

#include "reelyard/base/error.hpp"

#include "load/tensor_view.hpp"

namespace reelyard::store {

WeightSet tensors_of(const BlockShard& block,
                     const std::string& component,
                     const at::Tensor& whole) {
    REELYARD_EXPECT(whole.scalar_type() == at::kByte && whole.numel() == block.cuts.back());
    std::map<std::string, at::Tensor> tensors;
    for (const BlockTensor& tensor : block.tensors) {
        tensors.emplace(
            tensor.name,
            view_of(whole, tensor.dtype, tensor.shape, tensor.transposed, tensor.offset));
    }
    return {component, std::move(tensors)};
}

}  // namespace reelyard::store
