#include "reelyard/base/checksum.hpp"

#include <fstream>

#include <gtest/gtest.h>

#include "reelyard/base/error.hpp"

namespace reelyard {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text.data(), text.size()));
}

// Reference values from the specification's own implementation (xxhsum -H3).
TEST(Checksum, is_xxh3_with_64_bits) {
    EXPECT_EQ(to_hex(checksum(bytes_of(""))), "2d06800538d394c2");
    EXPECT_EQ(to_hex(checksum(bytes_of("abc"))), "78af5f94892f3950");
}

TEST(Checksum, does_not_depend_on_how_the_data_is_cut) {
    const std::string text(100000, 'x');
    Checksum sum;
    for (std::size_t begin = 0; begin < text.size(); begin += 777) {
        sum.update(bytes_of(std::string_view(text).substr(begin, 777)));
    }
    EXPECT_EQ(sum.digest(), checksum(bytes_of(text)));
}

TEST(Checksum, of_a_file_is_that_of_its_bytes) {
    const auto path = std::filesystem::path(testing::TempDir()) / "checksum_test.bin";
    std::ofstream(path) << "abc";
    EXPECT_EQ(file_checksum(path), "78af5f94892f3950");
    std::filesystem::remove(path);
}

TEST(Checksum, of_a_missing_file_names_it) {
    try {
        (void)file_checksum("no/such/file");
        FAIL() << "nothing was thrown";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::storage);
        EXPECT_NE(error.message().find("no/such/file"), std::string::npos);
    }
}

TEST(Checksum, content_hash_has_32_digits_and_tells_texts_apart) {
    EXPECT_EQ(content_hash("abc"), "06b05ab6733a618578af5f94892f3950");
    EXPECT_NE(content_hash("abc"), content_hash("abd"));
}

}  // namespace
}  // namespace reelyard
