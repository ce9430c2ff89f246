#include "wan/vae/config.hpp"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

#include "reelyard/base/error.hpp"

#include "config_file.hpp"

namespace reelyard::models::wan {
namespace {

constexpr std::int64_t most_channels = 1 << 20;
constexpr std::size_t most_levels = 16;

std::vector<double> numbers_of(const ConfigFile& file,
                               const char* key,
                               std::vector<double> otherwise) {
    return file.is_unset(key) ? std::move(otherwise) : file.numbers(key);
}

std::vector<bool> flags_of(const ConfigFile& file, const char* key, std::vector<bool> otherwise) {
    if (file.is_unset(key)) {
        return otherwise;
    }
    const nlohmann::json& list = file.value(key);
    if (!list.is_array() || !std::all_of(list.begin(), list.end(), [](const auto& item) {
            return item.is_boolean();
        })) {
        file.refuse(key, "a list of true and false");
    }
    return list.get<std::vector<bool>>();
}

void refuse_other_kinds(const ConfigFile& file) {
    file.require_text("_class_name", "AutoencoderKLWan");
    file.require_boolean("is_residual", false, "the VAE of Wan2.2 is not supported");
    file.require_unset("patch_size", "the VAE of Wan2.2 is not supported");
}

/// Sizes for which no product of two can overflow.
void check_channels(const ConfigFile& file, const VaeConfig& config) {
    const std::int64_t most_multiple =
        *std::max_element(config.dim_mult.begin(), config.dim_mult.end());
    const auto expect = [&](std::string_view key, std::int64_t channels) {
        if (channels > most_channels || most_multiple > most_channels / channels) {
            file.refuse(key, fmt::format("no level of more than {} channels", most_channels));
        }
    };
    expect("base_dim", config.base_dim);
    expect("decoder_base_dim", config.decoder_base_dim);
    expect("z_dim", config.z_dim);
    expect("in_channels", config.in_channels);
    expect("out_channels", config.out_channels);
    if (config.num_res_blocks > most_channels) {
        file.refuse("num_res_blocks", "a few");
    }
}

void check(const ConfigFile& file, const VaeConfig& config) {
    const std::size_t levels = config.dim_mult.size();
    if (levels == 0 || levels > most_levels) {
        file.refuse("dim_mult", fmt::format("a list of 1 to {} entries", most_levels));
    }
    if (config.temporal_downsample.size() + 1 < levels) {
        file.refuse(
            "temperal_downsample",
            fmt::format("a list of at least {} entries, one less than in 'dim_mult'", levels - 1));
    }
    if (std::any_of(config.latents_std.begin(), config.latents_std.end(), [](double value) {
            return value <= 0;
        })) {
        file.refuse("latents_std", "a list of positive numbers");
    }
    check_channels(file, config);
}

std::vector<double> default_mean() {
    return {-0.7571,
            -0.7089,
            -0.9113,
            0.1075,
            -0.1745,
            0.9653,
            -0.1517,
            1.5508,
            0.4134,
            -0.0715,
            0.5517,
            -0.3632,
            -0.1922,
            -0.9497,
            0.2503,
            -0.2921};
}

std::vector<double> default_std() {
    return {2.8184,
            1.4541,
            2.3275,
            2.6558,
            1.2196,
            1.7708,
            2.6052,
            2.0743,
            3.2687,
            2.1526,
            2.8652,
            1.5579,
            1.6382,
            1.1253,
            2.8251,
            1.9160};
}

std::string indexed(const char* prefix, std::size_t index) {
    return fmt::format("{}.{}", prefix, index);
}

void add_middle(std::vector<VaeLayer>& layers, std::int64_t channels) {
    using Kind = VaeLayer::Kind;
    layers.push_back({Kind::residual, "mid_block.resnets.0", channels, channels});
    layers.push_back({Kind::attention, "mid_block.attentions.0", channels, channels});
    layers.push_back({Kind::residual, "mid_block.resnets.1", channels, channels});
}

}  // namespace

VaeConfig parse_vae_config(const CheckpointConfig& checkpoint) {
    const ConfigFile file(checkpoint, "vae/config.json");
    refuse_other_kinds(file);
    VaeConfig config;
    config.base_dim = file.positive("base_dim", config.base_dim);
    config.decoder_base_dim = file.positive("decoder_base_dim", config.base_dim);
    config.z_dim = file.positive("z_dim", config.z_dim);
    config.dim_mult = file.positives("dim_mult", config.dim_mult, 0);
    config.num_res_blocks = file.positive("num_res_blocks", config.num_res_blocks);
    config.attn_scales = numbers_of(file, "attn_scales", {});
    config.temporal_downsample = flags_of(file, "temperal_downsample", {false, true, true});
    config.in_channels = file.positive("in_channels", config.in_channels);
    config.out_channels = file.positive("out_channels", config.out_channels);
    config.latents_mean = numbers_of(file, "latents_mean", default_mean());
    config.latents_std = numbers_of(file, "latents_std", default_std());
    config.scale_factor_temporal =
        file.positive("scale_factor_temporal", config.scale_factor_temporal);
    config.scale_factor_spatial =
        file.positive("scale_factor_spatial", config.scale_factor_spatial);
    check(file, config);
    return config;
}

std::vector<VaeLayer> encoder_layers(const VaeConfig& config) {
    using Kind = VaeLayer::Kind;
    std::vector<VaeLayer> layers;
    std::int64_t channels = config.base_dim;
    double scale = 1.0;
    const auto name = [&] {
        return indexed("down_blocks", layers.size());
    };
    for (std::size_t level = 0; level < config.dim_mult.size(); ++level) {
        const std::int64_t wanted = config.base_dim * config.dim_mult[level];
        for (std::int64_t block = 0; block < config.num_res_blocks; ++block) {
            layers.push_back({Kind::residual, name(), channels, wanted});
            channels = wanted;
            if (std::find(config.attn_scales.begin(), config.attn_scales.end(), scale) !=
                config.attn_scales.end()) {
                layers.push_back({Kind::attention, name(), channels, channels});
            }
        }
        if (level + 1 < config.dim_mult.size()) {
            const Kind kind =
                config.temporal_downsample[level] ? Kind::downsample3d : Kind::downsample2d;
            layers.push_back({kind, name(), channels, channels});
            scale /= 2;
        }
    }
    add_middle(layers, channels);
    return layers;
}

std::vector<VaeLayer> decoder_layers(const VaeConfig& config) {
    using Kind = VaeLayer::Kind;
    std::vector<VaeLayer> layers;
    std::int64_t channels = config.decoder_base_dim * config.dim_mult.back();
    add_middle(layers, channels);
    const std::size_t flags = config.temporal_downsample.size();
    for (std::size_t level = 0; level < config.dim_mult.size(); ++level) {
        const std::int64_t wanted =
            config.decoder_base_dim * config.dim_mult[config.dim_mult.size() - 1 - level];
        const std::string block = indexed("up_blocks", level);
        for (std::int64_t r = 0; r <= config.num_res_blocks; ++r) {
            const std::string name = fmt::format("{}.resnets.{}", block, r);
            layers.push_back({Kind::residual, name, channels, wanted});
            channels = wanted;
        }
        if (level + 1 < config.dim_mult.size()) {
            // From the end: with more flags than changes of level the decoder takes others than
            // the encoder, as the reference does.
            const Kind kind =
                config.temporal_downsample[flags - 1 - level] ? Kind::upsample3d : Kind::upsample2d;
            layers.push_back({kind, block + ".upsamplers.0", channels, channels / 2});
            channels /= 2;
        }
    }
    return layers;
}

std::int64_t count_of(const std::vector<VaeLayer>& layers, VaeLayer::Kind kind) {
    return std::count_if(
        layers.begin(), layers.end(), [&](const VaeLayer& layer) { return layer.kind == kind; });
}

}  // namespace reelyard::models::wan
