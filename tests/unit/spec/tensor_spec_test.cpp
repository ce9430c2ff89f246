#include "reelyard/spec/tensor_spec.hpp"

#include <gtest/gtest.h>

namespace reelyard {
namespace {

TEST(TensorSpec, counts_elements_beyond_32_bits) {
    EXPECT_EQ(element_count({}), 1);
    EXPECT_EQ(element_count({3, 0, 5}), 0);
    EXPECT_EQ(element_count({256384, 4096, 8}), 8401190912);
}

TEST(TensorSpec, writes_shapes_as_lists) {
    EXPECT_EQ(to_string(std::vector<std::int64_t>{}), "[]");
    EXPECT_EQ(to_string(std::vector<std::int64_t>{1, 6, 5120}), "[1, 6, 5120]");
}

}  // namespace
}  // namespace reelyard
