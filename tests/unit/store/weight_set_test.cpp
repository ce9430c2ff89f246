#include "reelyard/store/weight_set.hpp"

#include <string>

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include "reelyard/base/error.hpp"

namespace reelyard::store {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

WeightSet make_set() {
    return {"transformer",
            {{"blocks.1.bias", at::full({1}, 1.0)},
             {"blocks.10.bias", at::full({1}, 10.0)},
             {"blocks.1.ffn.weight", at::full({1}, 2.0)},
             {"blocks.1x", at::full({1}, 3.0)}}};
}

TEST(WeightSet, finds_tensors_by_name_and_below_a_scope) {
    const WeightSet weights = make_set();

    EXPECT_EQ(weights.get("blocks.10.bias").item<double>(), 10.0);
    EXPECT_EQ(weights.scope("blocks").scope("1").get("bias").item<double>(), 1.0);
    EXPECT_EQ(weights.scope("blocks.1").get("ffn.weight").item<double>(), 2.0);
    EXPECT_TRUE(weights.contains("blocks.1x"));
    EXPECT_FALSE(weights.scope("blocks").contains("2.bias"));
}

TEST(WeightSet, lists_what_is_below_a_scope_and_nothing_else) {
    const WeightSet weights = make_set();

    EXPECT_THAT(weights.scope("blocks.1").names(), ElementsAre("bias", "ffn.weight"));
    EXPECT_EQ(weights.names().size(), 4U);
    EXPECT_TRUE(weights.scope("none").names().empty());
    EXPECT_TRUE(WeightSet().names().empty());
}

TEST(WeightSet, names_component_and_tensor_that_is_missing) {
    try {
        (void)make_set().scope("blocks.3").get("bias");
        FAIL() << "found a tensor that is not there";
    } catch (const Error& error) {
        EXPECT_THAT(error.message(), HasSubstr("'transformer'"));
        EXPECT_THAT(error.message(), HasSubstr("'blocks.3.bias'"));
    }
}

TEST(WeightSet, keeps_its_tensors_alive_in_scopes) {
    WeightSet inner;
    {
        const WeightSet weights = make_set();
        inner = weights.scope("blocks.10");
    }

    EXPECT_EQ(inner.get("bias").item<double>(), 10.0);
}

}  // namespace
}  // namespace reelyard::store
