#include "reelyard/store/checkpoint/checkpoint_folder.hpp"

#include <fstream>
#include <string>

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include "reelyard/base/error.hpp"
#include "reelyard/store/tensor_file.hpp"

#include "reelyard/test/temporary_folder.hpp"

namespace reelyard::store {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class CheckpointFolderTest : public testing::Test {
protected:
    void put(const std::string& name, const std::string& content) {
        const auto path = folder_ / name;
        std::filesystem::create_directories(path.parent_path());
        std::ofstream(path, std::ios::binary) << content;
    }

    void put_tensors(const std::string& name, const std::vector<std::string>& tensors) {
        std::map<std::string, at::Tensor> made;
        for (const std::string& tensor : tensors) {
            made[tensor] = at::zeros({2});
        }
        std::filesystem::create_directories((folder_ / name).parent_path());
        write_tensors(folder_ / name, made);
    }

    template <typename Body>
    std::string refusal(Body&& body) {
        try {
            body();
            return "";
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::input) << error.what();
            return error.message();
        }
    }
    std::string config_refusal() {
        return refusal([&] { (void)read_checkpoint_config(folder_.path()); });
    }
    std::string weights_refusal() {
        return refusal([&] { (void)open_component(folder_.path(), "transformer"); });
    }

    test::TemporaryFolder folder_;
};

TEST_F(CheckpointFolderTest, takes_configs_and_the_tokenizer_and_no_weights) {
    put("model_index.json",
        R"({"_class_name":"WanPipeline","boundary_ratio":null,"tokenizer":["transformers","T5"],)"
        R"("transformer":["diffusers","X"],"transformer_2":[null,null]})");
    put("transformer/config.json", "{\"a\": 1}\n");
    put("transformer/diffusion_pytorch_model.safetensors.index.json", "{}");
    put("transformer/diffusion_pytorch_model.safetensors", "");
    put("tokenizer/spiece.model", std::string("\0\x01model", 7));
    put("tokenizer/tokenizer.json", "{}");
    put("tokenizer/tokenizer_config.json", "{}");
    put("README.md", "text");

    const CheckpointConfig config = read_checkpoint_config(folder_.path());

    std::vector<std::string> names;
    for (const auto& [name, content] : config.files) {
        names.push_back(name);
    }
    EXPECT_THAT(names,
                testing::ElementsAre("model_index.json",
                                     "tokenizer/spiece.model",
                                     "tokenizer/tokenizer.json",
                                     "tokenizer/tokenizer_config.json",
                                     "transformer/config.json"));
    EXPECT_EQ(file_content(config, "transformer/config.json"), "{\"a\": 1}\n");
    EXPECT_EQ(file_content(config, "tokenizer/spiece.model"), std::string("\0\x01model", 7));
}

TEST_F(CheckpointFolderTest, refuses_folders_that_are_no_checkpoint) {
    EXPECT_THAT(config_refusal(), HasSubstr("has no model_index.json"));
    EXPECT_THAT(refusal([&] { (void)read_checkpoint_config(folder_ / "none"); }),
                HasSubstr("is not a folder"));
    put("model_index.json", "{");
    EXPECT_THAT(config_refusal(), HasSubstr("model_index.json: is not valid JSON"));
    put("model_index.json", "[]");
    EXPECT_THAT(config_refusal(), HasSubstr("is no JSON object"));
}

TEST_F(CheckpointFolderTest, names_the_component_that_is_missing) {
    put("model_index.json", R"({"vae":["diffusers","X"]})");

    EXPECT_THAT(config_refusal(), HasSubstr("has no folder 'vae'"));
}

TEST_F(CheckpointFolderTest, tokenizer_may_come_in_either_of_its_files_but_not_in_none) {
    put("model_index.json", R"({"tokenizer":["transformers","T5"]})");
    put("tokenizer/tokenizer_config.json", "{}");
    EXPECT_THAT(config_refusal(), HasSubstr("has neither tokenizer.json nor spiece.model"));

    put("tokenizer/tokenizer.json", "{}");

    EXPECT_EQ(read_checkpoint_config(folder_.path()).files.count("tokenizer/tokenizer.json"), 1U);
}

TEST_F(CheckpointFolderTest, opens_single_files_under_either_name) {
    put_tensors("transformer/diffusion_pytorch_model.safetensors", {"a"});
    put_tensors("text_encoder/model.safetensors", {"b", "c"});

    EXPECT_EQ(open_component(folder_.path(), "transformer").at(0).entries().size(), 1U);
    EXPECT_EQ(open_component(folder_.path(), "text_encoder").at(0).entries().size(), 2U);
}

TEST_F(CheckpointFolderTest, opens_all_shards_of_an_index) {
    put_tensors("transformer/m-1.safetensors", {"a"});
    put_tensors("transformer/m-2.safetensors", {"b"});
    put("transformer/diffusion_pytorch_model.safetensors.index.json",
        R"({"weight_map":{"a":"m-1.safetensors","b":"m-2.safetensors"}})");

    EXPECT_EQ(open_component(folder_.path(), "transformer").size(), 2U);
}

TEST_F(CheckpointFolderTest, names_the_shard_that_is_missing_and_a_tensor_of_it) {
    put_tensors("transformer/m-1.safetensors", {"a"});
    put("transformer/diffusion_pytorch_model.safetensors.index.json",
        R"({"weight_map":{"a":"m-1.safetensors","b.weight":"m-2.safetensors"}})");

    EXPECT_THAT(weights_refusal(),
                AllOf(HasSubstr("m-2.safetensors: no such file"), HasSubstr("'b.weight'")));
}

TEST_F(CheckpointFolderTest, names_the_tensor_that_a_shard_lacks) {
    put_tensors("transformer/m-1.safetensors", {"a"});
    put("transformer/diffusion_pytorch_model.safetensors.index.json",
        R"({"weight_map":{"a":"m-1.safetensors","b":"m-1.safetensors"}})");

    EXPECT_THAT(weights_refusal(), AllOf(HasSubstr("m-1.safetensors"), HasSubstr("tensor 'b'")));
}

TEST_F(CheckpointFolderTest, never_leaves_the_folder_for_a_shard) {
    for (const std::string name : {"../m.safetensors", "/etc/passwd", "..", "", "sub/m"}) {
        put("transformer/diffusion_pytorch_model.safetensors.index.json",
            "{\"weight_map\":{\"a\":\"" + name + "\"}}");
        EXPECT_THAT(weights_refusal(), HasSubstr("expected a file name without a folder")) << name;
    }
    put("transformer/diffusion_pytorch_model.safetensors.index.json", R"({"weight_map":{"a":5}})");
    EXPECT_THAT(weights_refusal(), HasSubstr("expected a file name"));
    put("transformer/diffusion_pytorch_model.safetensors.index.json", "{}");
    EXPECT_THAT(weights_refusal(), HasSubstr("has no 'weight_map'"));
}

TEST_F(CheckpointFolderTest, says_what_it_looked_for_when_there_are_no_weights) {
    EXPECT_THAT(weights_refusal(), HasSubstr("no such folder"));
    std::filesystem::create_directories(folder_ / "transformer");
    EXPECT_THAT(weights_refusal(), HasSubstr("diffusion_pytorch_model.safetensors"));
}

}  // namespace
}  // namespace reelyard::store
