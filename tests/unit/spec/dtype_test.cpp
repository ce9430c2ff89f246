#include "reelyard/spec/dtype.hpp"

#include <gtest/gtest.h>

namespace reelyard {
namespace {

TEST(DType, has_a_name_that_reads_back) {
    for (const DType dtype : {DType::float32, DType::float16, DType::bfloat16}) {
        EXPECT_EQ(dtype_from_string(to_string(dtype)), dtype);
    }
    EXPECT_EQ(dtype_from_string("fp8"), std::nullopt);
}

TEST(DType, knows_its_size) {
    EXPECT_EQ(size_of(DType::float32), 4);
    EXPECT_EQ(size_of(DType::float16), 2);
    EXPECT_EQ(size_of(DType::bfloat16), 2);
}

}  // namespace
}  // namespace reelyard
