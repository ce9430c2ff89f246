#include "wan/vae/spec.hpp"

#include <utility>

namespace reelyard::models::wan {
namespace {

using Shape = std::vector<std::int64_t>;

/// Collects the tensors of one half of the VAE.
class TensorList {
public:
    void add(std::string name, Shape shape) {
        tensors_.push_back({.name = std::move(name),
                            .shape = std::move(shape),
                            .precision = Precision::keep_float32});
    }

    void add_conv(const std::string& name, Shape weight_shape) {
        const std::int64_t channels_out = weight_shape.front();
        add(name + ".weight", std::move(weight_shape));
        add(name + ".bias", {channels_out});
    }

    void add_layer(const std::string& name, const VaeLayer& layer) {
        using Kind = VaeLayer::Kind;
        const std::int64_t in = layer.channels_in;
        const std::int64_t out = layer.channels_out;
        if (layer.kind == Kind::residual) {
            add_residual(name, in, out);
        } else if (layer.kind == Kind::attention) {
            add(name + ".norm.gamma", {in, 1, 1});
            add_conv(name + ".to_qkv", {3 * in, in, 1, 1});
            add_conv(name + ".proj", {in, in, 1, 1});
        } else {
            add_conv(name + ".resample.1", {out, in, 3, 3});
        }
        if (layer.kind == Kind::downsample3d) {
            add_conv(name + ".time_conv", {in, in, 3, 1, 1});
        } else if (layer.kind == Kind::upsample3d) {
            add_conv(name + ".time_conv", {2 * in, in, 3, 1, 1});
        }
    }

    std::vector<TensorSpec> take() { return std::move(tensors_); }

private:
    void add_residual(const std::string& name, std::int64_t in, std::int64_t out) {
        add(name + ".norm1.gamma", {in, 1, 1, 1});
        add_conv(name + ".conv1", {out, in, 3, 3, 3});
        add(name + ".norm2.gamma", {out, 1, 1, 1});
        add_conv(name + ".conv2", {out, out, 3, 3, 3});
        if (in != out) {
            add_conv(name + ".conv_shortcut", {out, in, 1, 1, 1});
        }
    }

    std::vector<TensorSpec> tensors_;
};

void add_half(TensorList& tensors,
              const std::string& name,
              const std::vector<VaeLayer>& layers,
              std::int64_t channels_in,
              std::int64_t channels_out) {
    const std::int64_t first = layers.front().channels_in;
    const std::int64_t last = layers.back().channels_out;
    tensors.add_conv(name + ".conv_in", {first, channels_in, 3, 3, 3});
    for (const VaeLayer& layer : layers) {
        tensors.add_layer(name + "." + layer.name, layer);
    }
    tensors.add(name + ".norm_out.gamma", {last, 1, 1, 1});
    tensors.add_conv(name + ".conv_out", {channels_out, last, 3, 3, 3});
}

}  // namespace

ComponentSpec describe_vae(const VaeConfig& config) {
    const std::int64_t z = config.z_dim;
    TensorList tensors;
    add_half(tensors, "encoder", encoder_layers(config), config.in_channels, 2 * z);
    tensors.add_conv("quant_conv", {2 * z, 2 * z, 1, 1, 1});
    tensors.add_conv("post_quant_conv", {z, z, 1, 1, 1});
    add_half(tensors, "decoder", decoder_layers(config), z, config.out_channels);
    return {.name = "vae", .class_name = "AutoencoderKLWan", .tensors = tensors.take()};
}

}  // namespace reelyard::models::wan
