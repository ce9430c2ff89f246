#include "reelyard/store/safetensors_file.hpp"

#include <cstdint>
#include <fstream>
#include <optional>
#include <string>

#include <gmock/gmock.h>

#include "reelyard/base/error.hpp"

#include "reelyard/test/temporary_folder.hpp"

namespace reelyard::store {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class SafetensorsFileTest : public testing::Test {
protected:
    /// Writes a file of that header and so many data bytes (0, 1, 2 ...).
    void write(const std::string& header,
               std::size_t data_bytes,
               std::optional<std::uint64_t> claimed_length = std::nullopt) {
        std::ofstream out(path_, std::ios::binary);
        std::uint64_t length = claimed_length.value_or(header.size());
        for (int i = 0; i < 8; ++i) {
            out.put(static_cast<char>(length & 0xffU));
            length >>= 8U;
        }
        out << header;
        for (std::size_t i = 0; i < data_bytes; ++i) {
            out.put(static_cast<char>(i));
        }
    }

    /// The message with which opening the file is refused; empty when it is not.
    std::string refusal() {
        try {
            const SafetensorsFile file(path_);
            return "";
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::input) << error.what();
            EXPECT_THAT(error.message(), HasSubstr(path_.string()));
            return error.message();
        }
    }

    test::TemporaryFolder folder_;
    std::filesystem::path path_ = folder_ / "weights.safetensors";
};

TEST_F(SafetensorsFileTest, reads_tensors_in_the_order_of_their_bytes) {
    const std::string header = R"({"b":{"dtype":"F32","shape":[1,2],"data_offsets":[4,12]},)"
                               R"("__metadata__":{"format":"pt"},)"
                               R"("a":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]},)"
                               R"("none":{"dtype":"I64","shape":[0,5],"data_offsets":[12,12]}})";
    write(header, 12);

    const SafetensorsFile file(path_);

    ASSERT_EQ(file.entries().size(), 3U);
    EXPECT_EQ(file.entries()[0].name, "a");
    EXPECT_EQ(file.entries()[0].dtype, "BF16");
    EXPECT_EQ(file.entries()[1].name, "b");
    EXPECT_THAT(file.entries()[1].shape, testing::ElementsAre(1, 2));
    EXPECT_EQ(file.entries()[2].bytes, 0);
    EXPECT_EQ(file.file_bytes(), static_cast<std::int64_t>(8 + header.size() + 12));
    std::array<std::byte, 8> bytes{};
    file.read(file.entries()[1].offset, bytes);
    EXPECT_EQ(bytes[0], std::byte{4});
    EXPECT_EQ(bytes[7], std::byte{11});
}

TEST_F(SafetensorsFileTest, accepts_an_empty_header_padded_with_spaces) {
    write("{}      ", 0);

    EXPECT_EQ(refusal(), "");
}

TEST_F(SafetensorsFileTest, refuses_a_file_that_is_not_there) {
    EXPECT_THAT(refusal(), HasSubstr("cannot be opened"));
}

TEST_F(SafetensorsFileTest, refuses_a_file_shorter_than_a_header_length) {
    std::ofstream(path_) << "abc";

    EXPECT_THAT(refusal(), HasSubstr("has 3 bytes"));
}

TEST_F(SafetensorsFileTest, refuses_a_header_length_beyond_the_file_without_allocating_it) {
    write("{}", 0, std::uint64_t{1} << 62U);
    EXPECT_THAT(refusal(), HasSubstr("claims a header of 4611686018427387904 bytes"));

    write("{}", 0, ~std::uint64_t{0});
    EXPECT_THAT(refusal(), HasSubstr("but only 2 follow"));
}

TEST_F(SafetensorsFileTest, refuses_headers_that_are_not_json_objects) {
    for (const std::string header : {"[1]", "\"text\"", "{\"a\":", "", "{} x", "nul"}) {
        write(header, 4);
        EXPECT_THAT(refusal(), HasSubstr("header")) << header;
    }
}

TEST_F(SafetensorsFileTest, refuses_a_deeply_nested_header) {
    write(std::string(200'000, '['), 4);

    EXPECT_THAT(refusal(), HasSubstr("header"));
}

TEST_F(SafetensorsFileTest, refuses_a_name_that_stands_twice) {
    write(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
          R"("a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
          8);

    EXPECT_THAT(refusal(), HasSubstr("the header: \"a\" stands twice"));
}

TEST_F(SafetensorsFileTest, refuses_control_characters_in_names_but_not_in_metadata) {
    write(R"({"a\u001b[2J":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 4);
    EXPECT_THAT(refusal(), HasSubstr(R"("a\u001b[2J" holds a control character)"));

    write(R"({"__metadata__":{"note":"two\nlines"}})", 0);
    EXPECT_EQ(refusal(), "");
}

TEST_F(SafetensorsFileTest, refuses_an_unknown_dtype) {
    write(R"({"a":{"dtype":"F31","shape":[1],"data_offsets":[0,4]}})", 4);

    EXPECT_THAT(refusal(), AllOf(HasSubstr("tensor 'a'"), HasSubstr("unknown dtype 'F31'")));
}

TEST_F(SafetensorsFileTest, refuses_offsets_beyond_the_file) {
    write(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 7);

    EXPECT_THAT(refusal(), AllOf(HasSubstr("tensor 'a'"), HasSubstr("the file has 7 of them")));
}

TEST_F(SafetensorsFileTest, refuses_sizes_that_contradict_the_shape) {
    write(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8);

    EXPECT_THAT(refusal(), HasSubstr("has 8 bytes (expected 12 for shape [3] of F32)"));
}

TEST_F(SafetensorsFileTest, refuses_shapes_whose_size_overflows) {
    write(R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}})", 0);

    EXPECT_THAT(refusal(), AllOf(HasSubstr("tensor 'a'"), HasSubstr("more elements than fit")));
}

TEST_F(SafetensorsFileTest, refuses_tensors_that_overlap) {
    write(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
          R"("b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})",
          12);

    EXPECT_THAT(refusal(), HasSubstr("tensors 'a' and 'b' overlap"));
}

TEST_F(SafetensorsFileTest, refuses_gaps_and_bytes_that_belong_to_nothing) {
    write(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", 8);
    EXPECT_THAT(refusal(), HasSubstr("begins at byte 4 of the data (expected 0"));

    write(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 9);
    EXPECT_THAT(refusal(), HasSubstr("end at byte 4 of the data, but it has 9"));
}

TEST_F(SafetensorsFileTest, refuses_broken_entries_by_name) {
    for (const std::string entry : {R"(5)",
                                    R"({"dtype":"F32","shape":[1]})",
                                    R"({"dtype":"F32","shape":[-1],"data_offsets":[0,4]})",
                                    R"({"dtype":"F32","shape":[1.5],"data_offsets":[0,4]})",
                                    R"({"dtype":"F32","shape":[1],"data_offsets":[0]})",
                                    R"({"dtype":"F32","shape":[1],"data_offsets":[0,-4]})",
                                    R"({"dtype":"F32","shape":[1],"data_offsets":[0,1e99]})",
                                    R"({"dtype":4,"shape":[1],"data_offsets":[0,4]})",
                                    R"({"dtype":"F32","shape":"1","data_offsets":[0,4]})"}) {
        write("{\"a.weight\":" + entry + "}", 4);
        EXPECT_THAT(refusal(), HasSubstr("tensor 'a.weight': has a broken header entry")) << entry;
    }
    write(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", 4);
    EXPECT_THAT(refusal(), HasSubstr("tensor 'a': lies at bytes 4 to 0"));
}

TEST_F(SafetensorsFileTest, refuses_offsets_that_do_not_fit_in_63_bits) {
    write(
        R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[18446744073709551615,18446744073709551616]}})",
        4);

    EXPECT_THAT(refusal(), HasSubstr("tensor 'a'"));
}

TEST_F(SafetensorsFileTest, refuses_every_truncation_of_a_good_file) {
    write(R"({"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}})", 16);
    const auto size = std::filesystem::file_size(path_);

    for (std::uintmax_t kept = size; kept-- > 0;) {
        std::filesystem::resize_file(path_, kept);
        EXPECT_NE(refusal(), "") << "cut to " << kept << " bytes";
    }
}

}  // namespace
}  // namespace reelyard::store
