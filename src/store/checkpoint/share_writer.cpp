#include "checkpoint/share_writer.hpp"

#include <algorithm>
#include <utility>

#include <ATen/ATen.h>
#include <nlohmann/json.hpp>

#include "reelyard/base/bytes.hpp"
#include "reelyard/base/crc32.hpp"
#include "reelyard/base/error.hpp"
#include "reelyard/base/stop_signal.hpp"

#include "scalar_type.hpp"

namespace reelyard::store {
namespace {

constexpr std::int64_t piece_bytes = 16 * mebibyte;

at::ScalarType source_type(const SafetensorsEntry& entry) {
    if (entry.dtype == "F32") {
        return at::kFloat;
    }
    return entry.dtype == "F16" ? at::kHalf : at::kBFloat16;
}

/// A view of memory that the caller keeps alive.
at::Tensor view_of(std::span<std::byte> memory, at::ScalarType type, at::IntArrayRef shape) {
    return at::from_blob(memory.data(), shape, at::TensorOptions(type));
}

/// \throws Error (input) when a finite value becomes infinite
at::Tensor convert(const at::Tensor& values, at::ScalarType type, const std::string& name) {
    at::Tensor converted = values.to(type);
    const bool may_overflow = type == at::kHalf && values.scalar_type() != at::kHalf;
    require(!may_overflow ||
                !at::logical_and(at::isinf(converted), at::isfinite(values)).any().item<bool>(),
            ErrorKind::input,
            "tensor '{}' has values beyond the range of float16 (expected at most 65504); use "
            "--dtype bfloat16 or keep",
            name);
    return converted;
}

}  // namespace

struct ShareWriter::Target {
    at::ScalarType type;
    std::int64_t offset;  ///< in the store, of the next byte
    Checksum sum;
    std::uint32_t crc32 = 0;
};

ShareWriter::ShareWriter(const ImportPlan& plan,
                         const Share& share,
                         const std::filesystem::path& path,
                         std::vector<std::int64_t> slab_offsets)
    : plan_(plan)
    , output_(path, ByteFile::Access::write)
    , slab_offsets_(std::move(slab_offsets))
    , piece_(piece_bytes)
    , file_sums_(plan.files.size()) {
    find_own_files(share);
}

void ShareWriter::find_own_files(const Share& share) {
    // The tensors of a file lie in one run of the plan.
    for (std::size_t file = 0; file < plan_.files.size(); ++file) {
        const auto is_before = [](const PlannedTensor& t, std::size_t f) {
            return t.file < f;
        };
        const auto begin = plan_.tensors.begin();
        const auto first = static_cast<std::size_t>(
            std::lower_bound(begin, plan_.tensors.end(), file, is_before) - begin);
        const auto end = static_cast<std::size_t>(
            std::lower_bound(begin, plan_.tensors.end(), file + 1, is_before) - begin);
        const bool starts_here = share.begin <= first && first < share.end;
        const bool ends_here = end <= share.end;
        if (starts_here && ends_here && first < end) {
            file_sums_[file].emplace();
        } else if (starts_here || (first == end && share.begin == 0)) {
            other_files_.push_back(file);
        }
    }
}

void ShareWriter::read(const PlannedTensor& tensor, std::int64_t at, std::span<std::byte> into) {
    require(!StopSignal::requested(),
            ErrorKind::stopped,
            "import: stopped by a signal; nothing was written");
    const SafetensorsFile& file = plan_.files[tensor.file];
    file.read(tensor.source.offset + at, into);
    bytes_read_ += static_cast<std::int64_t>(into.size());
    bytes_done_ += static_cast<std::int64_t>(into.size());
    if (file_sums_[tensor.file]) {
        file_sums_[tensor.file]->update(into);
    }
}

void ShareWriter::write(const PlannedTensor& tensor) {
    const SafetensorsFile& file = plan_.files[tensor.file];
    in_context(
        [&] {
            const bool is_first = tensor.source.name == file.entries().front().name;
            if (file_sums_[tensor.file] && is_first) {
                std::vector<std::byte> header(static_cast<std::size_t>(file.data_offset()));
                file.read(0, header);
                file_sums_[tensor.file]->update(header);
            }
            if (!tensor.is_stored) {
                copy_in_pieces(tensor, nullptr);
                return;
            }
            const StoredTensor& stored =
                plan_.index.components[tensor.component].tensors[tensor.tensor];
            Target target{.type = to_scalar_type(stored.dtype),
                          .offset = slab_offsets_[tensor.component] + stored.offset,
                          .sum = Checksum()};
            if (stored.transposed) {
                copy_transposed(tensor, target);
            } else {
                copy_in_pieces(tensor, &target);
            }
            tensor_sums_.push_back(
                {tensor.component, tensor.tensor, target.sum.digest(), target.crc32});
        },
        "importing tensor '{}' of {}",
        tensor.source.name,
        file.path().string());
}

void ShareWriter::copy_in_pieces(const PlannedTensor& tensor, Target* target) {
    const at::ScalarType type = source_type(tensor.source);
    const std::int64_t element = static_cast<std::int64_t>(c10::elementSize(type));
    for (std::int64_t at = 0; at < tensor.source.bytes; at += piece_bytes) {
        const std::int64_t bytes = std::min(piece_bytes, tensor.source.bytes - at);
        const std::span<std::byte> piece = piece_.part(0, bytes);
        read(tensor, at, piece);
        if (target != nullptr) {
            put(view_of(piece, type, {bytes / element}), tensor, *target);
        }
    }
}

void ShareWriter::copy_transposed(const PlannedTensor& tensor, Target& target) {
    const at::ScalarType type = source_type(tensor.source);
    const std::int64_t rows = tensor.source.shape[0];
    const std::int64_t columns = tensor.source.shape[1];
    const HostBuffer whole(tensor.source.bytes);
    for (std::int64_t at = 0; at < tensor.source.bytes; at += piece_bytes) {
        read(tensor, at, whole.part(at, std::min(piece_bytes, tensor.source.bytes - at)));
    }
    const at::Tensor turned = view_of(whole.part(0, whole.size()), type, {rows, columns}).t();

    const std::int64_t column_bytes = rows * static_cast<std::int64_t>(c10::elementSize(type));
    const std::int64_t step =
        std::max<std::int64_t>(1, piece_bytes / std::max<std::int64_t>(1, column_bytes));
    for (std::int64_t column = 0; column < columns; column += step) {
        put(turned.narrow(0, column, std::min(step, columns - column)), tensor, target);
    }
}

void ShareWriter::put(const at::Tensor& piece, const PlannedTensor& tensor, Target& target) {
    const at::Tensor values = convert(piece, target.type, tensor.source.name).contiguous();
    const std::span<const std::byte> bytes{static_cast<const std::byte*>(values.const_data_ptr()),
                                           values.nbytes()};
    target.sum.update(bytes);
    target.crc32 = crc32(bytes, target.crc32);
    output_.write(target.offset, bytes);
    target.offset += static_cast<std::int64_t>(bytes.size());
}

void ShareWriter::finish() {
    output_.sync();
    for (const std::size_t number : other_files_) {
        const SafetensorsFile& file = plan_.files[number];
        Checksum sum;
        for (std::int64_t at = 0; at < file.file_bytes(); at += piece_bytes) {
            const auto piece = piece_.part(0, std::min(piece_bytes, file.file_bytes() - at));
            file.read(at, piece);
            sum.update(piece);
        }
        bytes_read_ += file.file_bytes();
        other_sums_.push_back(sum.digest());
    }
}

std::string ShareWriter::results() const {
    nlohmann::json tensors = nlohmann::json::array();
    for (const TensorSum& sum : tensor_sums_) {
        tensors.push_back({sum.component, sum.tensor, sum.checksum, sum.crc32});
    }
    nlohmann::json sources = nlohmann::json::array();
    for (std::size_t i = 0; i < file_sums_.size(); ++i) {
        if (file_sums_[i]) {
            sources.push_back({i, file_sums_[i]->digest()});
        }
    }
    for (std::size_t i = 0; i < other_files_.size(); ++i) {
        sources.push_back({other_files_[i], other_sums_[i]});
    }
    return nlohmann::json{{"tensors", tensors}, {"sources", sources}}.dump();
}

}  // namespace reelyard::store
