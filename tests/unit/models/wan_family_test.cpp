#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reelyard/base/error.hpp"
#include "reelyard/models/model_family.hpp"

namespace reelyard::models {
namespace {

using testing::AllOf;
using testing::HasSubstr;

/// The small files of a checkpoint of the demo's size.
CheckpointConfig checkpoint() {
    return {.files = {
                {"model_index.json",
                 R"({"_class_name": "WanPipeline", "transformer_2": [null, null],
                     "transformer": ["diffusers", "WanTransformer3DModel"],
                     "text_encoder": ["transformers", "UMT5EncoderModel"],
                     "vae": ["diffusers", "AutoencoderKLWan"]})"},
                {"transformer/config.json",
                 R"({"_class_name": "WanTransformer3DModel", "num_attention_heads": 3,
                     "attention_head_dim": 20, "num_layers": 2, "ffn_dim": 70, "freq_dim": 32,
                     "text_dim": 24, "added_kv_proj_dim": null, "image_dim": null})"},
                {"text_encoder/config.json",
                 R"({"architectures": ["UMT5EncoderModel"], "model_type": "umt5", "d_model": 24,
                     "d_kv": 8, "d_ff": 40, "num_layers": 2, "num_heads": 5, "vocab_size": 60})"},
                {"vae/config.json", R"({"_class_name": "AutoencoderKLWan", "base_dim": 8})"},
                {"scheduler/scheduler_config.json", R"({"flow_shift": 3.0})"},
            }};
}

/// A copy of the checkpoint in which `from` is `to` in one file.
CheckpointConfig with(const std::string& file, const std::string& from, const std::string& to) {
    CheckpointConfig changed = checkpoint();
    std::string& text = changed.files.at(file);
    text.replace(text.find(from), from.size(), to);
    return changed;
}

std::string refusal_of(const CheckpointConfig& config) {
    try {
        (void)family_of(config).describe(config);
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::input);
        return error.message();
    }
    return "accepted";
}

const TensorSpec& tensor_of(const ModelSpec& model,
                            const std::string& component,
                            const std::string& name) {
    for (const TensorSpec& tensor : model.component(component).tensors) {
        if (tensor.name == name) {
            return tensor;
        }
    }
    throw std::out_of_range(name);
}

TEST(WanFamily, describes_a_checkpoint_without_its_weights) {
    const CheckpointConfig config = checkpoint();

    const ModelSpec model = family_of(config).describe(config);

    EXPECT_EQ(model.family, "wan");
    EXPECT_EQ(model.latent_channels, 16);
    EXPECT_EQ(model.size_multiple, 16);
    EXPECT_EQ(model.max_grid, 1024);
    EXPECT_EQ(model.defaults.flow_shift, 3.0);
    EXPECT_THAT(model.defaults.negative_prompt, HasSubstr("倒着走"));
    const auto& query = tensor_of(model, "transformer", "blocks.1.attn1.to_q.weight");
    EXPECT_EQ(query.shape, (std::vector<std::int64_t>{60, 60}));
    EXPECT_EQ(query.split, Split::rows);
    EXPECT_EQ(query.precision, Precision::compute);
    const auto& out = tensor_of(model, "transformer", "blocks.1.ffn.net.2.weight");
    EXPECT_EQ(out.shape, (std::vector<std::int64_t>{60, 70}));
    EXPECT_EQ(out.split, Split::columns);
    const auto& table = tensor_of(model, "transformer", "blocks.0.scale_shift_table");
    EXPECT_EQ(table.precision, Precision::keep_float32);
    const auto& o =
        tensor_of(model, "text_encoder", "encoder.block.1.layer.0.SelfAttention.o.weight");
    EXPECT_EQ(o.shape, (std::vector<std::int64_t>{24, 40}));
    EXPECT_EQ(o.split, Split::columns);
}

TEST(WanFamily, says_where_its_weights_may_be_cut) {
    const CheckpointConfig config = checkpoint();
    const ModelSpec model = family_of(config).describe(config);
    struct Cut {
        std::string component;
        std::string name;
        Split split;
        std::int64_t unit;
    };

    // Heads stay whole: 3 of 20 in the transformer, 5 of 8 in the text encoder.
    for (const auto& [component, name, split, unit] :
         {Cut{"transformer", "blocks.0.attn1.to_q.weight", Split::rows, 20},
          Cut{"transformer", "blocks.0.attn2.to_k.weight", Split::rows, 20},
          Cut{"transformer", "blocks.0.attn2.to_v.weight", Split::rows, 20},
          Cut{"transformer", "blocks.1.attn1.to_out.0.weight", Split::columns, 20},
          Cut{"transformer", "blocks.1.ffn.net.0.proj.weight", Split::rows, 1},
          Cut{"transformer", "blocks.1.ffn.net.2.weight", Split::columns, 1},
          Cut{"text_encoder", "encoder.block.0.layer.0.SelfAttention.q.weight", Split::rows, 8},
          Cut{"text_encoder", "encoder.block.1.layer.0.SelfAttention.o.weight", Split::columns, 8},
          Cut{"text_encoder", "encoder.block.1.layer.1.DenseReluDense.wi_0.weight", Split::rows, 1},
          Cut{"text_encoder",
              "encoder.block.1.layer.1.DenseReluDense.wo.weight",
              Split::columns,
              1},
          Cut{"transformer", "blocks.0.attn1.norm_q.weight", Split::none, 1}}) {
        const TensorSpec& tensor = tensor_of(model, component, name);
        EXPECT_EQ(tensor.split, split) << name;
        EXPECT_EQ(tensor.split_unit, unit) << name;
    }
}

TEST(WanFamily, can_cut_every_split_weight_at_its_unit) {
    const CheckpointConfig config = checkpoint();
    const ModelSpec model = family_of(config).describe(config);
    for (const ComponentSpec& component : model.components) {
        for (const TensorSpec& tensor : component.tensors) {
            if (tensor.split != Split::none) {
                const std::size_t axis = tensor.split == Split::rows ? 0 : 1;
                EXPECT_EQ(tensor.shape.at(axis) % tensor.split_unit, 0) << tensor.name;
            }
        }
    }
}

TEST(WanFamily, takes_the_official_shift_where_the_scheduler_names_none) {
    CheckpointConfig config = checkpoint();
    config.files.erase("scheduler/scheduler_config.json");

    EXPECT_EQ(family_of(config).describe(config).defaults.flow_shift, 5.0);
}

TEST(WanFamily, has_no_cross_norm_where_the_config_says_so) {
    const CheckpointConfig config =
        with("transformer/config.json", R"("image_dim": null)", R"("cross_attn_norm": false)");

    const ModelSpec model = family_of(config).describe(config);

    EXPECT_THROW(tensor_of(model, "transformer", "blocks.0.norm2.weight"), std::out_of_range);
}

TEST(WanFamily, refuses_what_it_cannot_run_naming_file_key_and_value) {
    EXPECT_THAT(refusal_of(with("model_index.json", "WanPipeline", "WanImageToVideoPipeline")),
                AllOf(HasSubstr("model_index.json"),
                      HasSubstr("'_class_name'"),
                      HasSubstr("WanImageToVideoPipeline"),
                      HasSubstr("expected WanPipeline")));
    EXPECT_THAT(
        refusal_of(with(
            "model_index.json", R"([null, null])", R"(["diffusers", "WanTransformer3DModel"])")),
        HasSubstr("'transformer_2'"));
    EXPECT_THAT(
        refusal_of(with(
            "model_index.json", R"("transformer_2": [null, null])", R"("expand_timesteps": true)")),
        HasSubstr("'expand_timesteps' is true"));
    EXPECT_THAT(refusal_of(with("transformer/config.json",
                                R"("added_kv_proj_dim": null)",
                                R"("added_kv_proj_dim": 5120)")),
                AllOf(HasSubstr("transformer/config.json"),
                      HasSubstr("'added_kv_proj_dim' is 5120"),
                      HasSubstr("image-to-video")));
    EXPECT_THAT(refusal_of(with("transformer/config.json", "WanTransformer3DModel", "OtherModel")),
                HasSubstr("OtherModel"));
    EXPECT_THAT(
        refusal_of(with("transformer/config.json", R"("num_layers": 2)", R"("num_layers": "2")")),
        HasSubstr("'num_layers' is \"2\" (expected a whole number of at least 1)"));
    EXPECT_THAT(
        refusal_of(with("transformer/config.json", R"("ffn_dim": 70)", R"("ffn_dim": -70)")),
        HasSubstr("'ffn_dim' is -70"));
    EXPECT_THAT(refusal_of(with("transformer/config.json",
                                R"("attention_head_dim": 20)",
                                R"("attention_head_dim": 21)")),
                HasSubstr("'attention_head_dim' is 21"));
    EXPECT_THAT(
        refusal_of(with("transformer/config.json", R"("text_dim": 24)", R"("text_dim": 25)")),
        AllOf(HasSubstr("'text_dim' is 25"), HasSubstr("24")));
    EXPECT_THAT(refusal_of(with("text_encoder/config.json",
                                R"("num_heads": 5)",
                                R"("num_heads": 5, "feed_forward_proj": "relu")")),
                AllOf(HasSubstr("'feed_forward_proj' is \"relu\""), HasSubstr("gated-gelu")));
    EXPECT_THAT(refusal_of(with("text_encoder/config.json", "umt5", "t5")),
                HasSubstr("'model_type'"));
}

TEST(WanFamily, refuses_a_checkpoint_without_a_config) {
    CheckpointConfig config = checkpoint();
    config.files.erase("text_encoder/config.json");

    EXPECT_THAT(refusal_of(config), HasSubstr("text_encoder/config.json"));
}

TEST(WanFamily, refuses_a_config_that_is_not_json) {
    EXPECT_THAT(refusal_of(with("transformer/config.json", "{", "")),
                AllOf(HasSubstr("transformer/config.json"), HasSubstr("not a JSON object")));
}

}  // namespace
}  // namespace reelyard::models
