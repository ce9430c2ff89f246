#pragma once

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <utility>

#include <ATen/ATen.h>

#include "reelyard/spec/model_spec.hpp"
#include "reelyard/store/tensor_file.hpp"

namespace reelyard::test {

/// A checkpoint folder of three small components with everything that the layout knows: shards with
/// an index, an alias, an encoder and a decoder, tensors of every precision and split.
class TinyCheckpoint {
public:
    using Tensors = std::map<std::string, at::Tensor>;

    explicit TinyCheckpoint(std::filesystem::path folder, at::ScalarType dtype = at::kFloat)
        : folder_(std::move(folder)) {
        at::manual_seed(11);
        put("model_index.json",
            R"({"_class_name":"TinyPipeline","transformer":["diffusers","TinyTransformer"],)"
            R"("text_encoder":["transformers","TinyEncoder"],"vae":["diffusers","TinyCodec"],)"
            R"("tokenizer":["transformers","T5Tokenizer"],"scheduler":["diffusers","S"]})");
        put("tokenizer/spiece.model", std::string("\0\x01\x02 pieces", 10));
        put("tokenizer/tokenizer_config.json", "{}");
        put("scheduler/scheduler_config.json", R"({"flow_shift": 5.0})");
        for (const char* component : {"transformer", "text_encoder", "vae"}) {
            put(std::string(component) + "/config.json", "{}");
        }
        make_transformer(dtype);
        make_text_encoder(dtype);
        make_vae(dtype);
    }

    [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
    [[nodiscard]] const ModelSpec& spec() const { return spec_; }
    /// What the components hold, by component and by the names of the spec.
    [[nodiscard]] const std::map<std::string, Tensors>& tensors() const { return tensors_; }

    void put(const std::string& name, const std::string& content) const {
        std::filesystem::create_directories((folder_ / name).parent_path());
        std::ofstream(folder_ / name, std::ios::binary) << content;
    }

private:
    /// Adds a tensor to the spec and gives it values.
    void add(ComponentSpec& component, TensorSpec tensor, at::ScalarType dtype) {
        tensors_[component.name][tensor.name] = at::randn(tensor.shape, at::kFloat).to(dtype);
        component.tensors.push_back(std::move(tensor));
    }

    void make_transformer(at::ScalarType dtype) {
        ComponentSpec component{
            .name = "transformer", .class_name = "TinyTransformer", .tensors = {}};
        Tensors first;
        Tensors second;
        std::string map;
        for (const int number : {0, 2, 10}) {
            const std::string block = "blocks." + std::to_string(number) + ".";
            const auto add_to_block = [&](TensorSpec tensor) {
                tensor.block = number;
                add(component, std::move(tensor), dtype);
            };
            add_to_block({block + "to_q.weight", {48, 36}, Split::rows});
            add_to_block({block + "to_q.bias", {48}, Split::rows});
            add_to_block({block + "to_out.weight", {36, 45}, Split::columns});
            add_to_block({block + "norm.weight", {36}, Split::none, Precision::keep_float32});
        }
        add(component, {"patch.weight", {36, 4, 1, 2, 2}}, dtype);
        add(component, {"large.weight", {700, 800}, Split::columns}, dtype);
        for (const auto& [name, tensor] : tensors_["transformer"]) {
            const bool is_first = name.find("blocks.0") == 0;
            (is_first ? first : second)[name] = tensor;
            map += (map.empty() ? "\"" : ",\"") + name + "\":\"shard-" + (is_first ? "1" : "2") +
                   ".safetensors\"";
        }
        store::write_tensors(folder_ / "transformer/shard-1.safetensors", first);
        store::write_tensors(folder_ / "transformer/shard-2.safetensors", second);
        put("transformer/diffusion_pytorch_model.safetensors.index.json",
            "{\"weight_map\":{" + map + "}}");
        spec_.components.push_back(std::move(component));
    }

    void make_text_encoder(at::ScalarType dtype) {
        ComponentSpec component{.name = "text_encoder", .class_name = "TinyEncoder", .tensors = {}};
        add(component, {"shared.weight", {300, 20}}, dtype);
        add(component, {"block.0.wo.weight", {20, 50}, Split::columns}, dtype);
        component.aliases = {{"embed_tokens.weight", "shared.weight"}};
        Tensors tensors = tensors_["text_encoder"];
        tensors["embed_tokens.weight"] = tensors["shared.weight"];
        store::write_tensors(folder_ / "text_encoder/model.safetensors", tensors);
        spec_.components.push_back(std::move(component));
    }

    void make_vae(at::ScalarType dtype) {
        ComponentSpec component{.name = "vae", .class_name = "TinyCodec", .tensors = {}};
        for (const std::string name :
             {"encoder.conv", "decoder.conv", "quant_conv", "post_quant_conv"}) {
            add(component,
                {name + ".weight", {16, 16, 3, 3, 3}, Split::none, Precision::keep_float32},
                dtype);
            add(component, {name + ".bias", {16}, Split::none, Precision::keep_float32}, dtype);
        }
        store::write_tensors(folder_ / "vae/diffusion_pytorch_model.safetensors", tensors_["vae"]);
        spec_.components.push_back(std::move(component));
    }

    std::filesystem::path folder_;
    ModelSpec spec_{.family = "tiny", .components = {}, .defaults = {}};
    std::map<std::string, Tensors> tensors_;
};

}  // namespace reelyard::test
