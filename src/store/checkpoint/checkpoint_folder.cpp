#include "reelyard/store/checkpoint/checkpoint_folder.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <system_error>

#include <nlohmann/json.hpp>

#include "reelyard/base/bytes.hpp"
#include "reelyard/base/error.hpp"
#include "reelyard/base/file_system.hpp"

namespace reelyard::store {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* model_index = "model_index.json";
constexpr std::int64_t largest_small_file = 64 * mebibyte;

// diffusers and transformers name their weights differently.
constexpr std::array<std::string_view, 2> weight_names{"diffusion_pytorch_model.safetensors",
                                                       "model.safetensors"};

json parse_json_file(const fs::path& path) {
    try {
        return json::parse(read_text_file(path));
    } catch (const json::exception& error) {
        fail(ErrorKind::input, "{}: is not valid JSON: {}", path.string(), error.what());
    }
}

bool ends_with(const std::string& text, std::string_view end) {
    return text.size() >= end.size() &&
           text.compare(text.size() - end.size(), end.size(), end) == 0;
}

/// Whether a file of a component's folder belongs into the store.
bool is_wanted(const std::string& name) {
    return (ends_with(name, ".json") && !ends_with(name, ".index.json")) ||
           ends_with(name, ".model");
}

/// Names that model_index.json gives to components: keys with [library, class], neither null.
std::vector<std::string> component_names(const fs::path& folder) {
    const fs::path path = folder / model_index;
    std::error_code code;
    require(fs::is_directory(folder, code),
            ErrorKind::input,
            "{}: is not a folder (expected a checkpoint in the diffusers layout)",
            folder.string());
    require(fs::exists(path, code),
            ErrorKind::input,
            "{}: has no {} (expected a checkpoint in the diffusers layout)",
            folder.string(),
            model_index);
    const json index = parse_json_file(path);
    require(index.is_object(), ErrorKind::input, "{}: is no JSON object", path.string());
    std::vector<std::string> names;
    for (const auto& [key, value] : index.items()) {
        const bool is_component =
            value.is_array() && value.size() == 2 && value[0].is_string() && value[1].is_string();
        if (is_component) {
            names.push_back(key);
        }
    }
    return names;
}

void add_file(CheckpointConfig& config, const fs::path& folder, const std::string& name) {
    const fs::path path = folder / name;
    std::error_code code;
    const auto bytes = static_cast<std::int64_t>(fs::file_size(path, code));
    require(code || bytes <= largest_small_file,
            ErrorKind::input,
            "{}: has {} (expected at most {} for a config or tokenizer)",
            path.string(),
            format_bytes(bytes),
            format_bytes(largest_small_file));
    config.files[name] = read_text_file(path);
}

/// The files of one component's folder that belong into the store.
void add_files(CheckpointConfig& config, const fs::path& folder, const std::string& component) {
    for (const std::string& name : posix_file_system().list(folder / component)) {
        if (is_wanted(name)) {
            add_file(config, folder, fmt::format("{}/{}", component, name));
        }
    }
}

/// The one of the known names that `folder` has with `suffix`; nothing when it has none.
std::optional<fs::path> find_weights(const fs::path& folder, std::string_view suffix) {
    for (const std::string_view name : weight_names) {
        fs::path path = folder / (std::string(name) + std::string(suffix));
        if (fs::exists(path)) {
            return path;
        }
    }
    return std::nullopt;
}

/// Shard -> the tensors that the index file says are in it.
std::map<std::string, std::vector<std::string>> read_weight_map(const fs::path& path) {
    const json index = parse_json_file(path);
    require(index.is_object() && index.contains("weight_map") && index["weight_map"].is_object(),
            ErrorKind::input,
            "{}: has no 'weight_map'",
            path.string());
    std::map<std::string, std::vector<std::string>> shards;
    for (const auto& [tensor, shard] : index["weight_map"].items()) {
        require(shard.is_string(),
                ErrorKind::input,
                "{}: tensor '{}' is mapped to {} (expected a file name)",
                path.string(),
                tensor,
                shard.dump());
        const auto name = shard.get<std::string>();
        require(!name.empty() && fs::path(name).filename() == name && name != "." && name != "..",
                ErrorKind::input,
                "{}: tensor '{}' is mapped to '{}' (expected a file name without a folder)",
                path.string(),
                tensor,
                name);
        shards[name].push_back(tensor);
    }
    return shards;
}

void expect_tensors(const SafetensorsFile& file, const std::vector<std::string>& expected) {
    std::set<std::string_view> there;
    for (const SafetensorsEntry& entry : file.entries()) {
        there.insert(entry.name);
    }
    for (const std::string& tensor : expected) {
        require(there.count(tensor) > 0,
                ErrorKind::input,
                "{}: tensor '{}' is missing, which the index file says is in it",
                file.path().string(),
                tensor);
    }
}

std::vector<SafetensorsFile> open_shards(const fs::path& index) {
    const auto shards = read_weight_map(index);
    for (const auto& [name, tensors] : shards) {
        const fs::path path = index.parent_path() / name;
        require(fs::exists(path),
                ErrorKind::input,
                "{}: no such file; {} says that tensor '{}' and {} others are in it",
                path.string(),
                index.filename().string(),
                tensors.front(),
                tensors.size() - 1);
    }
    std::vector<SafetensorsFile> files;
    for (const auto& [name, tensors] : shards) {
        files.emplace_back(index.parent_path() / name);
        expect_tensors(files.back(), tensors);
    }
    return files;
}

}  // namespace

CheckpointConfig read_checkpoint_config(const fs::path& folder) {
    CheckpointConfig config;
    const std::vector<std::string> components = component_names(folder);
    add_file(config, folder, model_index);
    for (const std::string& component : components) {
        std::error_code code;
        require(fs::is_directory(folder / component, code),
                ErrorKind::input,
                "{}: has no folder '{}', which its {} names as a component",
                folder.string(),
                component,
                model_index);
        add_files(config, folder, component);
    }
    const bool has_tokenizer =
        std::find(components.begin(), components.end(), "tokenizer") != components.end();
    require(!has_tokenizer || config.files.count("tokenizer/spiece.model") > 0 ||
                config.files.count("tokenizer/tokenizer.json") > 0,
            ErrorKind::input,
            "{}: has neither tokenizer.json nor spiece.model (expected at least one of them)",
            (folder / "tokenizer").string());
    return config;
}

std::vector<SafetensorsFile> open_component(const fs::path& folder, const std::string& name) {
    const fs::path component = folder / name;
    std::error_code code;
    require(fs::is_directory(component, code),
            ErrorKind::input,
            "{}: no such folder (expected the component '{}')",
            component.string(),
            name);
    if (const auto index = find_weights(component, ".index.json")) {
        return open_shards(*index);
    }
    const auto single = find_weights(component, "");
    require(single.has_value(),
            ErrorKind::input,
            "{}: has no weights (expected {}, or shards with an index file)",
            component.string(),
            fmt::join(weight_names, " or "));
    std::vector<SafetensorsFile> files;
    files.emplace_back(*single);
    return files;
}

}  // namespace reelyard::store
