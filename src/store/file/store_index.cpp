#include "reelyard/store/store_index.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <set>
#include <string_view>

#include <nlohmann/json.hpp>

#include "reelyard/base/bytes.hpp"
#include "reelyard/base/checksum.hpp"
#include "reelyard/base/crc32.hpp"
#include "reelyard/base/error.hpp"
#include "reelyard/spec/tensor_spec.hpp"

#include "file/strict_json.hpp"
#include "memory/page.hpp"

namespace reelyard::store {
namespace {

using nlohmann::json;

// Tensors from this size on start on a page; below it the padding would not be negligible.
constexpr std::int64_t large_tensor = mebibyte;

json file_to_json(const StoredFile& file) {
    return {{"path", file.path}, {"bytes", file.bytes}, {"checksum", to_hex(file.checksum)}};
}

json tensor_to_json(const StoredTensor& tensor) {
    json value{{"name", tensor.name},
               {"dtype", to_string(tensor.dtype)},
               {"shape", tensor.shape},
               {"transposed", tensor.transposed},
               {"offset", tensor.offset},
               {"bytes", tensor.bytes},
               {"checksum", to_hex(tensor.checksum)},
               {"source", tensor.source}};
    if (tensor.crc32) {
        value["crc32"] = crc32_digits(*tensor.crc32);
    }
    return value;
}

const json& list_at(const json& object, const char* key) {
    const json& value = object.at(key);
    require(value.is_array(), ErrorKind::input, "'{}' is {} (expected a list)", key, shown(value));
    return value;
}

std::int64_t to_size(const json& value) {
    const auto size = value.is_number_integer() ? value.get<std::int64_t>() : -1;
    require(size >= 0,
            ErrorKind::input,
            "found {} (expected a size in elements or bytes)",
            shown(value));
    return size;
}

/// A number of as many hexadecimal digits as its type has room for.
template <typename Number>
Number to_checksum(const json& value) {
    constexpr std::size_t digits = 2 * sizeof(Number);
    const std::string text = value.is_string() ? value.get<std::string>() : "";
    Number number = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number, 16);
    require(code == std::errc() && end == text.data() + text.size() && text.size() == digits,
            ErrorKind::input,
            "{} is no checksum (expected {} hexadecimal digits)",
            shown(value),
            digits);
    return number;
}

StoredFile file_from_json(const json& value) {
    return {.path = value.at("path").get<std::string>(),
            .bytes = to_size(value.at("bytes")),
            .checksum = to_checksum<std::uint64_t>(value.at("checksum"))};
}

StoredTensor read_tensor(const json& value) {
    StoredTensor tensor{.name = value.at("name").get<std::string>()};
    const auto dtype = value.at("dtype").get<std::string>();
    const auto known = dtype_from_string(dtype);
    require(known.has_value(),
            ErrorKind::input,
            "tensor '{}' has the unknown dtype '{}'",
            tensor.name,
            dtype);
    tensor.dtype = *known;
    for (const json& extent : list_at(value, "shape")) {
        tensor.shape.push_back(to_size(extent));
    }
    tensor.transposed = value.at("transposed").get<bool>();
    tensor.offset = to_size(value.at("offset"));
    tensor.bytes = to_size(value.at("bytes"));
    tensor.checksum = to_checksum<std::uint64_t>(value.at("checksum"));
    if (value.contains("crc32")) {
        tensor.crc32 = to_checksum<std::uint32_t>(value.at("crc32"));
    }
    tensor.source = to_size(value.at("source"));
    return tensor;
}

StoredTensor tensor_from_json(const json& value) {
    try {
        return read_tensor(value);
    } catch (const json::exception& error) {
        fail(ErrorKind::input, "the entry is broken: {}", error.what());
    }
}

void check_tensor(const StoredTensor& tensor, std::int64_t slab_bytes, std::int64_t sources) {
    std::int64_t expected = size_of(tensor.dtype);
    bool too_large = false;
    for (const std::int64_t extent : tensor.shape) {
        too_large = too_large || __builtin_mul_overflow(expected, extent, &expected);
    }
    require(!too_large && tensor.bytes == expected,
            ErrorKind::input,
            "tensor '{}' has {} bytes (expected {} for shape {} of {})",
            tensor.name,
            tensor.bytes,
            too_large ? std::string("more than fit in a file") : std::to_string(expected),
            to_string(tensor.shape),
            to_string(tensor.dtype));
    require(tensor.bytes <= slab_bytes && tensor.offset <= slab_bytes - tensor.bytes,
            ErrorKind::input,
            "tensor '{}' lies at bytes {} + {} of a slab that has {}",
            tensor.name,
            tensor.offset,
            tensor.bytes,
            slab_bytes);
    require(tensor.offset % tensor_alignment == 0,
            ErrorKind::input,
            "tensor '{}' starts at byte {} (expected a multiple of {})",
            tensor.name,
            tensor.offset,
            tensor_alignment);
    require(tensor.source < sources,
            ErrorKind::input,
            "tensor '{}' comes from source {}, but there are {}",
            tensor.name,
            tensor.source,
            sources);
    require(!tensor.transposed || tensor.shape.size() == 2,
            ErrorKind::input,
            "tensor '{}' is transposed, but its shape is {}",
            tensor.name,
            to_string(tensor.shape));
}

void check_component(const StoredComponent& component, std::int64_t sources) {
    std::set<std::string_view> names;
    std::int64_t end = 0;
    for (const StoredTensor& tensor : component.tensors) {
        check_tensor(tensor, component.slab_bytes, sources);
        require(names.insert(tensor.name).second,
                ErrorKind::input,
                "tensor '{}' stands twice in the index",
                tensor.name);
        require(tensor.offset >= end,
                ErrorKind::input,
                "tensor '{}' starts at byte {}, inside the one before it (expected {} or more)",
                tensor.name,
                tensor.offset,
                end);
        end = tensor.offset + tensor.bytes;
    }
}

StoreIndex parse(std::string_view text) {
    const json value = parse_strictly(text, "the index");
    StoreIndex index{.family = value.at("family").get<std::string>()};
    for (const json& file : list_at(value, "files")) {
        index.files.push_back(file_from_json(file));
    }
    for (const json& file : list_at(value, "sources")) {
        index.sources.push_back(file_from_json(file));
    }
    std::set<std::string> names;
    for (const json& entry : list_at(value, "components")) {
        StoredComponent component{.name = entry.at("name").get<std::string>(),
                                  .class_name = entry.at("class_name").get<std::string>(),
                                  .slab_bytes = to_size(entry.at("slab_bytes"))};
        for (const json& tensor : list_at(entry, "tensors")) {
            component.tensors.push_back(in_context([&] { return tensor_from_json(tensor); },
                                                   "reading tensor {} of component '{}'",
                                                   component.tensors.size(),
                                                   component.name));
        }
        require(!component.name.empty(), ErrorKind::input, "a component has no name");
        require(names.insert(component.name).second,
                ErrorKind::input,
                "component '{}' stands twice in the index",
                component.name);
        in_context(
            [&] { check_component(component, static_cast<std::int64_t>(index.sources.size())); },
            "checking component '{}'",
            component.name);
        index.components.push_back(std::move(component));
    }
    return index;
}

bool is_digit(char c) {
    return std::isdigit(static_cast<unsigned char>(c)) != 0;
}

/// Takes a run of digits, or one other character, from the front.
std::string_view take_part(std::string_view& text) {
    std::size_t length = 1;
    while (is_digit(text.front()) && length < text.size() && is_digit(text[length])) {
        ++length;
    }
    const std::string_view part = text.substr(0, length);
    text.remove_prefix(length);
    return part;
}

/// Text order, but runs of digits by their value.
bool is_naturally_less(std::string_view a, std::string_view b) {
    while (!a.empty() && !b.empty()) {
        const std::string_view x = take_part(a);
        const std::string_view y = take_part(b);
        if (is_digit(x.front()) && is_digit(y.front()) && x.size() != y.size()) {
            return x.size() < y.size();
        }
        if (x != y) {
            return x < y;
        }
    }
    return a.size() < b.size();
}

}  // namespace

const StoredComponent& StoreIndex::component(const std::string& name) const {
    const auto found = std::find_if(
        components.begin(), components.end(), [&](const auto& c) { return c.name == name; });
    require(found != components.end(),
            ErrorKind::input,
            "the weight store has no component '{}'",
            name);
    return *found;
}

std::string to_json(const StoreIndex& index) {
    json value{{"schema_version", schema_version},
               {"family", index.family},
               {"components", json::array()},
               {"files", json::array()},
               {"sources", json::array()}};
    for (const StoredComponent& component : index.components) {
        json tensors = json::array();
        for (const StoredTensor& tensor : component.tensors) {
            tensors.push_back(tensor_to_json(tensor));
        }
        value["components"].push_back({{"name", component.name},
                                       {"class_name", component.class_name},
                                       {"slab_bytes", component.slab_bytes},
                                       {"tensors", std::move(tensors)}});
    }
    for (const StoredFile& file : index.files) {
        value["files"].push_back(file_to_json(file));
    }
    for (const StoredFile& file : index.sources) {
        value["sources"].push_back(file_to_json(file));
    }
    return value.dump();
}

StoreIndex store_index_from_json(std::string_view text, const std::string& place) {
    try {
        return in_context(
            [&] { return parse(text); }, "reading the index of the weight store {}", place);
    } catch (const json::exception& error) {
        fail(ErrorKind::input, "{}: the index is broken: {}", place, error.what());
    }
}

void lay_out(StoredComponent& component) {
    std::sort(component.tensors.begin(), component.tensors.end(), [](const auto& a, const auto& b) {
        return is_naturally_less(a.name, b.name);
    });
    std::int64_t end = 0;
    for (StoredTensor& tensor : component.tensors) {
        tensor.offset = align_up(end, tensor.bytes >= large_tensor ? page : tensor_alignment);
        end = tensor.offset + tensor.bytes;
    }
    component.slab_bytes = align_up(end, page);
}

}  // namespace reelyard::store
