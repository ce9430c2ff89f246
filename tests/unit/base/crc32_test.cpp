#include "reelyard/base/crc32.hpp"

#include <algorithm>
#include <random>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <zlib.h>

namespace reelyard {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text.data(), text.size()));
}

std::vector<std::byte> random_bytes(std::size_t count) {
    std::mt19937 generator(7);
    std::vector<std::byte> bytes(count);
    std::generate(
        bytes.begin(), bytes.end(), [&] { return static_cast<std::byte>(generator() >> 24); });
    return bytes;
}

// Values of Python's zlib.crc32; the first is the check value of the CRC-32 catalogues.
TEST(Crc32, is_that_of_gzip) {
    EXPECT_EQ(crc32(bytes_of("123456789")), 0xcbf43926U);
    EXPECT_EQ(crc32(bytes_of("")), 0U);
    EXPECT_EQ(crc32(bytes_of(std::string_view("\0\0\0", 3))), 0xff41d912U);
    EXPECT_EQ(crc32(bytes_of("The quick brown fox jumps over the lazy dog")), 0x414fa339U);
}

TEST(Crc32, agrees_with_zlib_at_every_length_and_alignment) {
    const std::vector<std::byte> bytes = random_bytes(700);
    for (std::size_t begin = 0; begin < 16; ++begin) {
        for (std::size_t size = 0; begin + size <= bytes.size(); ++size) {
            const auto* data = reinterpret_cast<const unsigned char*>(bytes.data() + begin);
            ASSERT_EQ(crc32(std::span(bytes).subspan(begin, size)),
                      ::crc32(0, data, static_cast<unsigned>(size)))
                << size << " bytes from " << begin;
        }
    }
}

TEST(Crc32, goes_on_from_what_lies_before) {
    const std::vector<std::byte> bytes = random_bytes(5000);
    std::uint32_t value = 0;
    for (std::size_t begin = 0; begin < bytes.size(); begin += 777) {
        value =
            crc32(std::span(bytes).subspan(begin, std::min<std::size_t>(777, bytes.size() - begin)),
                  value);
    }
    EXPECT_EQ(value, crc32(bytes));
}

TEST(CombineCrc32, of_parts_cut_anywhere_is_that_of_the_whole) {
    const std::vector<std::byte> bytes = random_bytes(20000);
    const std::uint32_t whole = crc32(bytes);
    std::mt19937 generator(11);
    for (int round = 0; round < 200; ++round) {
        std::vector<std::size_t> cuts(5);
        std::generate(cuts.begin(), cuts.end(), [&] { return generator() % (bytes.size() + 1); });
        cuts.push_back(0);
        cuts.push_back(bytes.size());
        std::sort(cuts.begin(), cuts.end());

        std::uint32_t combined = 0;
        for (std::size_t i = 0; i + 1 < cuts.size(); ++i) {
            const std::size_t size = cuts[i + 1] - cuts[i];
            combined = combine_crc32(combined,
                                     crc32(std::span(bytes).subspan(cuts[i], size)),
                                     static_cast<std::int64_t>(size));
        }

        ASSERT_EQ(combined, whole) << "round " << round;
    }
}

// Zeros of more than 4 GiB, put together by doubling; Python: zlib.crc32 over 5 * 2**30 zeros.
TEST(CombineCrc32, of_more_than_4_gib) {
    std::uint32_t gibibyte = crc32(std::vector<std::byte>(1024));
    for (std::int64_t bytes = 1024; bytes < (std::int64_t{1} << 30); bytes *= 2) {
        gibibyte = combine_crc32(gibibyte, gibibyte, bytes);
    }
    const std::uint32_t four = combine_crc32(combine_crc32(gibibyte, gibibyte, 1 << 30),
                                             combine_crc32(gibibyte, gibibyte, 1 << 30),
                                             std::int64_t{1} << 31);
    EXPECT_EQ(combine_crc32(gibibyte, four, std::int64_t{1} << 32), 0x193838c3U);
}

TEST(Crc32, is_written_with_8_digits) {
    EXPECT_EQ(crc32_digits(0xcbf43926U), "cbf43926");
    EXPECT_EQ(crc32_digits(0xffU), "000000ff");
}

TEST(CombineCrc32, of_nothing_changes_nothing) {
    EXPECT_EQ(combine_crc32(0xcbf43926U, crc32({}), 0), 0xcbf43926U);
    EXPECT_EQ(combine_crc32(crc32({}), 0xcbf43926U, 9), 0xcbf43926U);
}

}  // namespace
}  // namespace reelyard
