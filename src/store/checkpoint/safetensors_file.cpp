#include "reelyard/store/safetensors_file.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <tuple>
#include <utility>

#include <nlohmann/json.hpp>

#include "reelyard/base/bytes.hpp"
#include "reelyard/base/error.hpp"
#include "reelyard/spec/tensor_spec.hpp"

#include "file/byte_file.hpp"
#include "file/strict_json.hpp"

namespace reelyard::store {
namespace {

using nlohmann::json;

// The limit of the reference implementation; the largest checkpoints need less than 1 MB.
constexpr std::int64_t largest_header = 100'000'000;
constexpr std::int64_t length_field = 8;
constexpr const char* metadata_key = "__metadata__";

constexpr std::array<std::pair<std::string_view, std::int64_t>, 15> element_sizes{{
    {"F64", 8},
    {"F32", 4},
    {"F16", 2},
    {"BF16", 2},
    {"F8_E4M3", 1},
    {"F8_E5M2", 1},
    {"I64", 8},
    {"I32", 4},
    {"I16", 2},
    {"I8", 1},
    {"U64", 8},
    {"U32", 4},
    {"U16", 2},
    {"U8", 1},
    {"BOOL", 1},
}};

/// The number of bytes in the header, from the first eight bytes (little-endian).
std::int64_t header_length(const ByteFile& file, std::int64_t file_bytes) {
    require(file_bytes > length_field,
            ErrorKind::input,
            "{}: has {} bytes (expected a safetensors file: 8 bytes of header length, a header, "
            "data)",
            file.path().string(),
            file_bytes);
    std::array<std::byte, length_field> raw{};
    file.read(0, raw);
    std::uint64_t length = 0;
    for (std::size_t i = raw.size(); i > 0; --i) {
        length = length << 8U | std::to_integer<std::uint64_t>(raw[i - 1]);
    }
    require(length <= static_cast<std::uint64_t>(file_bytes - length_field),
            ErrorKind::input,
            "{}: claims a header of {} bytes, but only {} follow; the file is truncated or no "
            "safetensors file",
            file.path().string(),
            length,
            file_bytes - length_field);
    require(length <= static_cast<std::uint64_t>(largest_header),
            ErrorKind::input,
            "{}: claims a header of {} bytes (expected at most {})",
            file.path().string(),
            length,
            largest_header);
    return static_cast<std::int64_t>(length);
}

/// A non-negative integer that fits into 63 bits.
bool is_size(const json& value) {
    return value.is_number_unsigned() &&
           value.get<std::uint64_t>() <= static_cast<std::uint64_t>(INT64_MAX);
}

bool is_list_of_sizes(const json& value) {
    return value.is_array() && std::all_of(value.begin(), value.end(), is_size);
}

/// Bytes of a tensor. \throws Error (input) when they exceed 63 bits
std::int64_t byte_count(const SafetensorsEntry& entry, const std::string& place) {
    std::int64_t bytes = safetensors_element_size(entry.dtype);
    bool too_large = false;
    for (const std::int64_t extent : entry.shape) {
        too_large = too_large || __builtin_mul_overflow(bytes, extent, &bytes);
    }
    require(!too_large,
            ErrorKind::input,
            "{}: shape {} has more elements than fit in a file",
            place,
            to_string(entry.shape));
    return bytes;
}

/// \param data_bytes number of bytes behind the header
SafetensorsEntry parse_entry(const std::string& name,
                             const json& value,
                             std::int64_t data_bytes,
                             const std::string& file) {
    const std::string place = fmt::format("{}: tensor '{}'", file, name);
    require(value.is_object() && value.contains("dtype") && value["dtype"].is_string() &&
                value.contains("shape") && is_list_of_sizes(value["shape"]) &&
                value.contains("data_offsets") && is_list_of_sizes(value["data_offsets"]) &&
                value["data_offsets"].size() == 2,
            ErrorKind::input,
            "{}: has a broken header entry (expected dtype, shape and two data_offsets)",
            place);
    SafetensorsEntry entry{.name = name,
                           .dtype = value["dtype"].get<std::string>(),
                           .shape = value["shape"].get<std::vector<std::int64_t>>()};
    require(safetensors_element_size(entry.dtype) > 0,
            ErrorKind::input,
            "{}: has the unknown dtype '{}'",
            place,
            entry.dtype);
    const auto begin = value["data_offsets"][0].get<std::int64_t>();
    const auto end = value["data_offsets"][1].get<std::int64_t>();
    require(begin <= end && end <= data_bytes,
            ErrorKind::input,
            "{}: lies at bytes {} to {} of the data, but the file has {} of them; it is truncated "
            "or its header is wrong",
            place,
            begin,
            end,
            data_bytes);
    entry.offset = begin;
    entry.bytes = byte_count(entry, place);
    require(entry.bytes == end - begin,
            ErrorKind::input,
            "{}: has {} bytes (expected {} for shape {} of {})",
            place,
            end - begin,
            entry.bytes,
            to_string(entry.shape),
            entry.dtype);
    return entry;
}

/// The texts under "__metadata__". Values that are no texts are against the format and left out.
std::map<std::string, std::string> parse_metadata(const json& header) {
    std::map<std::string, std::string> metadata;
    const auto found = header.find(metadata_key);
    if (found == header.end() || !found->is_object()) {
        return metadata;
    }
    for (const auto& [key, value] : found->items()) {
        if (value.is_string()) {
            metadata.emplace(key, value.get<std::string>());
        }
    }
    return metadata;
}

/// Sorts by offset and checks that the tensors fill the data without overlap or gap.
void order_by_offset(std::vector<SafetensorsEntry>& entries,
                     std::int64_t data_bytes,
                     const std::string& file) {
    std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
        return std::tie(a.offset, a.bytes, a.name) < std::tie(b.offset, b.bytes, b.name);
    });
    std::int64_t end = 0;
    std::string previous;
    for (const SafetensorsEntry& entry : entries) {
        require(entry.offset >= end,
                ErrorKind::input,
                "{}: tensors '{}' and '{}' overlap",
                file,
                previous,
                entry.name);
        require(entry.offset == end,
                ErrorKind::input,
                "{}: tensor '{}' begins at byte {} of the data (expected {}, where the one before "
                "it ends)",
                file,
                entry.name,
                entry.offset,
                end);
        end = entry.offset + entry.bytes;
        previous = entry.name;
    }
    require(end == data_bytes,
            ErrorKind::input,
            "{}: the tensors end at byte {} of the data, but it has {}",
            file,
            end,
            data_bytes);
}

}  // namespace

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path)
    : file_(std::make_unique<ByteFile>(path, ByteFile::Access::read))
    , file_bytes_(file_->size()) {
    const std::string place = path.string();
    const std::int64_t length = header_length(*file_, file_bytes_);
    std::string text(static_cast<std::size_t>(length), ' ');
    file_->read(length_field, std::as_writable_bytes(std::span(text.data(), text.size())));
    data_offset_ = length_field + length;
    const std::int64_t data_bytes = file_bytes_ - data_offset_;

    const json header = parse_strictly(text, place + ": the header");
    require(header.is_object(), ErrorKind::input, "{}: the header is no JSON object", place);
    for (const auto& [name, value] : header.items()) {
        if (name != metadata_key) {
            entries_.push_back(parse_entry(name, value, data_bytes, place));
        }
    }
    metadata_ = parse_metadata(header);
    order_by_offset(entries_, data_bytes, place);
    for (SafetensorsEntry& entry : entries_) {
        entry.offset += data_offset_;
    }
}

SafetensorsFile::SafetensorsFile(SafetensorsFile&& other) noexcept = default;
SafetensorsFile& SafetensorsFile::operator=(SafetensorsFile&& other) noexcept = default;
SafetensorsFile::~SafetensorsFile() = default;

const std::filesystem::path& SafetensorsFile::path() const {
    return file_->path();
}

void SafetensorsFile::read(std::int64_t offset, std::span<std::byte> into) const {
    file_->read(offset, into);
}

std::int64_t safetensors_element_size(const std::string& dtype) {
    const auto* found = std::find_if(element_sizes.begin(),
                                     element_sizes.end(),
                                     [&](const auto& known) { return known.first == dtype; });
    return found == element_sizes.end() ? 0 : found->second;
}

}  // namespace reelyard::store
