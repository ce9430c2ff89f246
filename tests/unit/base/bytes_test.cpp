#include "reelyard/base/bytes.hpp"

#include <gtest/gtest.h>

namespace reelyard {
namespace {

TEST(Bytes, are_written_in_binary_units) {
    EXPECT_EQ(format_bytes(0), "0 B");
    EXPECT_EQ(format_bytes(1023), "1023 B");
    EXPECT_EQ(format_bytes(1536), "1.50 KiB");
    EXPECT_EQ(format_bytes(57153966336), "53.2 GiB");
    EXPECT_EQ(format_bytes(3 * 1024 * gibibyte), "3.00 TiB");
}

TEST(Bytes, align_up_leaves_multiples_alone) {
    EXPECT_EQ(align_up(0, 4096), 0);
    EXPECT_EQ(align_up(1, 4096), 4096);
    EXPECT_EQ(align_up(4096, 4096), 4096);
    EXPECT_EQ(align_up(4097, 4096), 8192);
}

}  // namespace
}  // namespace reelyard
