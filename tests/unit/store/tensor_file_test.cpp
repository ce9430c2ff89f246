#include "reelyard/store/tensor_file.hpp"

#include <fstream>
#include <iterator>
#include <string>

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include "reelyard/base/error.hpp"

#include "reelyard/test/temporary_folder.hpp"

namespace reelyard::store {
namespace {

TEST(TensorFile, reads_back_every_dtype_and_shape) {
    const test::TemporaryFolder folder;
    std::map<std::string, at::Tensor> tensors;
    int number = 0;
    for (const auto type : {at::kDouble,
                            at::kFloat,
                            at::kHalf,
                            at::kBFloat16,
                            at::kLong,
                            at::kInt,
                            at::kShort,
                            at::kChar,
                            at::kByte,
                            at::kBool}) {
        tensors["t" + std::to_string(number++)] = at::randint(0, 2, {2, 3}, type);
    }
    tensors["scalar"] = at::full({}, 7, at::kLong);
    tensors["empty"] = at::empty({0, 4}, at::kFloat);
    tensors["view"] = at::arange(12, at::kFloat).reshape({3, 4}).t();

    write_tensors(folder / "t.safetensors", tensors);
    const auto found = read_tensors(folder / "t.safetensors");

    ASSERT_EQ(found.size(), tensors.size());
    for (const auto& [name, tensor] : tensors) {
        ASSERT_EQ(found.count(name), 1U) << name;
        EXPECT_EQ(found.at(name).scalar_type(), tensor.scalar_type()) << name;
        EXPECT_TRUE(at::equal(found.at(name), tensor)) << name;
    }
}

TEST(TensorFile, keeps_the_texts_attached_to_it) {
    const test::TemporaryFolder folder;
    const std::map<std::string, std::string> texts{{"task", "0123"}, {"note", "a \"cat\", 猫"}};

    write_tensors(folder / "with", {{"x", at::zeros({1})}}, texts);
    write_tensors(folder / "without", {{"x", at::zeros({1})}});

    EXPECT_EQ(read_metadata(folder / "with"), texts);
    EXPECT_EQ(read_tensors(folder / "with").size(), 1U);
    EXPECT_TRUE(read_metadata(folder / "without").empty());
}

TEST(TensorFile, writes_the_bytes_of_the_format) {
    const test::TemporaryFolder folder;

    write_tensors(folder / "t.safetensors", {{"x", at::full({2}, 1.0, at::kFloat)}});

    std::ifstream in(folder / "t.safetensors", std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    const std::string header = R"({"x":{"data_offsets":[0,8],"dtype":"F32","shape":[2]}})";
    const std::size_t padded = (header.size() + 7) / 8 * 8;
    EXPECT_EQ(text.substr(0, 8), std::string(1, static_cast<char>(padded)) + std::string(7, '\0'));
    EXPECT_EQ(text.substr(8, header.size()), header);
    EXPECT_EQ(text.substr(8 + padded), std::string("\0\0\x80\x3f\0\0\x80\x3f", 8));
}

TEST(TensorFile, leaves_nothing_behind_when_writing_fails) {
    const test::TemporaryFolder folder;

    EXPECT_THROW(
        write_tensors(folder / "t.safetensors", {{"x", at::zeros({2}, at::kComplexFloat)}}), Error);

    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

}  // namespace
}  // namespace reelyard::store
