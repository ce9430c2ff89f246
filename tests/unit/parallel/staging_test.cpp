#include "../../../src/parallel/staging.hpp"

#include <utility>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace reelyard::parallel {
namespace {

TEST(Staging, a_block_holds_a_tensor_of_any_shape_and_type) {
    Staging staging;
    const at::Tensor tensor = at::arange(24, at::kBFloat16).view({2, 3, 4});

    const auto block = staging.take(tensor);
    block->as(tensor).copy_(tensor);

    EXPECT_TRUE(at::equal(block->as(tensor), tensor));
}

TEST(Staging, what_is_given_back_is_used_again) {
    Staging staging;
    const at::Tensor small = at::empty({1000}, at::kByte);
    const at::Tensor large = at::empty({3 << 20}, at::kByte);
    auto first = staging.take(large);
    auto second = staging.take(small);
    const void* first_memory = first->memory.const_data_ptr();
    const void* second_memory = second->memory.const_data_ptr();
    ASSERT_NE(first_memory, second_memory);

    staging.give_back(std::move(first));
    staging.give_back(std::move(second));

    // The smallest that is large enough.
    EXPECT_EQ(staging.take(small)->memory.const_data_ptr(), second_memory);
    EXPECT_EQ(staging.take(large)->memory.const_data_ptr(), first_memory);
}

}  // namespace
}  // namespace reelyard::parallel
