#include "reelyard/store/tensor_file.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <nlohmann/json.hpp>

#include "reelyard/base/atomic_file.hpp"
#include "reelyard/base/bytes.hpp"
#include "reelyard/base/error.hpp"
#include "reelyard/base/file_system.hpp"
#include "reelyard/store/safetensors_file.hpp"

namespace reelyard::store {
namespace {

constexpr std::array<std::pair<std::string_view, at::ScalarType>, 12> dtypes{{
    {"F64", at::kDouble},
    {"F32", at::kFloat},
    {"F16", at::kHalf},
    {"BF16", at::kBFloat16},
    {"F8_E4M3", at::kFloat8_e4m3fn},
    {"F8_E5M2", at::kFloat8_e5m2},
    {"I64", at::kLong},
    {"I32", at::kInt},
    {"I16", at::kShort},
    {"I8", at::kChar},
    {"U8", at::kByte},
    {"BOOL", at::kBool},
}};

constexpr std::int64_t header_alignment = 8;

at::ScalarType to_scalar_type(const SafetensorsEntry& entry, const std::filesystem::path& path) {
    const auto* found = std::find_if(
        dtypes.begin(), dtypes.end(), [&](const auto& d) { return d.first == entry.dtype; });
    require(found != dtypes.end(),
            ErrorKind::input,
            "{}: tensor '{}' has dtype {}, which is not supported here",
            path.string(),
            entry.name,
            entry.dtype);
    return found->second;
}

std::string_view to_name(at::ScalarType type, const std::string& tensor) {
    const auto* found =
        std::find_if(dtypes.begin(), dtypes.end(), [&](const auto& d) { return d.second == type; });
    require(found != dtypes.end(),
            ErrorKind::internal,
            "tensor '{}' has dtype {}, which safetensors files do not know",
            tensor,
            at::toString(type));
    return found->first;
}

/// Length field and header, padded so that the data is aligned.
std::string make_header(const std::map<std::string, at::Tensor>& tensors,
                        const std::map<std::string, std::string>& metadata) {
    nlohmann::json header = nlohmann::json::object();
    if (!metadata.empty()) {
        header["__metadata__"] = metadata;
    }
    std::int64_t offset = 0;
    for (const auto& [name, tensor] : tensors) {
        const std::int64_t end = offset + static_cast<std::int64_t>(tensor.nbytes());
        header[name] = {{"dtype", to_name(tensor.scalar_type(), name)},
                        {"shape", tensor.sizes().vec()},
                        {"data_offsets", {offset, end}}};
        offset = end;
    }
    std::string text = header.dump();
    const auto length = align_up(static_cast<std::int64_t>(text.size()), header_alignment);
    text.resize(static_cast<std::size_t>(length), ' ');
    std::string field;
    for (int shift = 0; shift < 64; shift += 8) {
        field.push_back(static_cast<char>(static_cast<std::uint64_t>(length) >> shift & 0xffU));
    }
    return field + text;
}

std::span<std::byte> bytes_of(at::Tensor& tensor) {
    return {static_cast<std::byte*>(tensor.data_ptr()), tensor.nbytes()};
}

}  // namespace

std::map<std::string, at::Tensor> read_tensors(const std::filesystem::path& path) {
    const SafetensorsFile file(path);
    std::map<std::string, at::Tensor> tensors;
    for (const SafetensorsEntry& entry : file.entries()) {
        at::Tensor tensor = at::empty(entry.shape, to_scalar_type(entry, path));
        file.read(entry.offset, bytes_of(tensor));
        tensors.emplace(entry.name, std::move(tensor));
    }
    return tensors;
}

std::map<std::string, std::string> read_metadata(const std::filesystem::path& path) {
    return SafetensorsFile(path).metadata();
}

void write_tensors(const std::filesystem::path& path,
                   const std::map<std::string, at::Tensor>& tensors,
                   const std::map<std::string, std::string>& metadata) {
    FileSystem& files = posix_file_system();
    TemporaryFile temporary(partial_path(path), files);
    {
        const auto out = files.open(temporary.path(), FileSystem::Mode::truncate);
        const std::string header = make_header(tensors, metadata);
        out->write(std::as_bytes(std::span(header.data(), header.size())));
        for (const auto& [name, tensor] : tensors) {
            at::Tensor plain = tensor.detach().cpu().contiguous();
            out->write(bytes_of(plain));
        }
    }
    temporary.commit(path);
}

}  // namespace reelyard::store
