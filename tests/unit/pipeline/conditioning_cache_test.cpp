#include "reelyard/pipeline/conditioning_cache.hpp"

#include <filesystem>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "reelyard/base/error.hpp"
#include "reelyard/base/file_system.hpp"

namespace reelyard::pipeline {
namespace {

class ConditioningCacheTest : public testing::Test {
protected:
    void TearDown() override { std::filesystem::remove_all(folder_); }

    std::filesystem::path folder_ =
        std::filesystem::path(testing::TempDir()) / "conditioning_cache_test";
    ConditioningCache cache_{folder_, "model float32"};
};

TEST_F(ConditioningCacheTest, gives_back_the_bits_of_every_tensor) {
    const models::Conditioning put{
        {{"context", at::randn({1, 7, 5}).to(at::kBFloat16)}, {"padding", at::tensor({505})}}};

    cache_.put("a cat, 猫", put);

    const models::Conditioning got = cache_.get("a cat, 猫", at::kCPU);
    ASSERT_EQ(got.tensors.size(), 2U);
    EXPECT_EQ(got.tensors.at("context").scalar_type(), at::kBFloat16);
    EXPECT_TRUE(at::equal(got.tensors.at("context"), put.tensors.at("context")));
    EXPECT_TRUE(at::equal(got.tensors.at("padding"), put.tensors.at("padding")));
}

TEST_F(ConditioningCacheTest, tells_texts_and_models_apart) {
    cache_.put("cat", {{{"context", at::zeros({1})}}});

    EXPECT_TRUE(cache_.contains("cat"));
    EXPECT_FALSE(cache_.contains("Cat"));
    EXPECT_FALSE(ConditioningCache(folder_, "model bfloat16").contains("cat"));
}

TEST_F(ConditioningCacheTest, missing_text_is_a_storage_error) {
    try {
        (void)cache_.get("dog", at::kCPU);
        FAIL() << "nothing was thrown";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::storage);
    }
}

TEST_F(ConditioningCacheTest, clear_removes_the_folder) {
    cache_.put("cat", {{{"context", at::zeros({1})}}});

    cache_.clear();

    EXPECT_FALSE(std::filesystem::exists(folder_));
    EXPECT_NO_THROW(cache_.clear());
}

}  // namespace
}  // namespace reelyard::pipeline
