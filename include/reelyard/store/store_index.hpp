#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reelyard/spec/dtype.hpp"

namespace reelyard::store {

/// The version of the store's schema that this program writes, and the newest it reads.
inline constexpr std::int64_t schema_version = 1;

/// Every tensor of a slab starts at a multiple of this.
inline constexpr std::int64_t tensor_alignment = 64;

/// One tensor of a store.
struct StoredTensor {
    std::string name;  ///< as in the checkpoint, without the component's name
    DType dtype = DType::float32;
    std::vector<std::int64_t> shape = {};  ///< as the model sees it
    /// Whether the last two axes are swapped on disk ([in, out] for a weight [out, in]), so that
    /// slices along the input features are contiguous.
    bool transposed = false;
    std::int64_t offset = 0;  ///< in the slab
    std::int64_t bytes = 0;
    std::uint64_t checksum = 0;  ///< XXH3-64 of the bytes in the slab
    /// CRC-32 of the same bytes, which can be put together from parts; older stores have none.
    std::optional<std::uint32_t> crc32 = std::nullopt;
    std::int64_t source = 0;  ///< which of StoreIndex::sources it came from
};

/// One component: its tensors in the order of their offsets in one packed slab.
struct StoredComponent {
    std::string name;
    std::string class_name;
    std::int64_t slab_bytes = 0;
    std::vector<StoredTensor> tensors = {};
};

/// A file by its path, its size and the XXH3-64 of its bytes.
struct StoredFile {
    std::string path;
    std::int64_t bytes = 0;
    std::uint64_t checksum = 0;
};

/// The table of contents of a store.
struct StoreIndex {
    std::string family;
    std::vector<StoredComponent> components = {};
    std::vector<StoredFile> files = {};    ///< configs and tokenizer, embedded in the store
    std::vector<StoredFile> sources = {};  ///< the files that the weights came from

    /// \throws Error (input) naming the component when there is none of that name
    [[nodiscard]] const StoredComponent& component(const std::string& name) const;
};

/// The index as JSON; the inverse is store_index_from_json().
[[nodiscard]] std::string to_json(const StoreIndex& index);

/// Reads and checks an index: every tensor inside its slab, none overlapping, sizes that agree with
/// shapes, names unique. Unknown keys are ignored. \param place the store's path, for messages
/// \throws Error (input) naming place and tensor
[[nodiscard]] StoreIndex store_index_from_json(std::string_view text, const std::string& place);

/// Gives the tensors of a component their order and offsets, and the component its size: names in
/// natural order ("blocks.2" before "blocks.10"), so that what belongs together lies together.
void lay_out(StoredComponent& component);

}  // namespace reelyard::store
