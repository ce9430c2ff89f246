#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "reelyard/base/checksum.hpp"

#include "checkpoint/import_plan.hpp"
#include "file/byte_file.hpp"
#include "memory/host_buffer.hpp"

namespace reelyard::store {

/// Copies one rank's share of the checkpoint's tensors into the slabs, converted and transposed as
/// the plan says, and computes checksums on the way.
class ShareWriter {
public:
    /// \param plan outlives this object
    /// \param path the store, with its slabs in place
    /// \param slab_offsets where they begin, by component
    ShareWriter(const ImportPlan& plan,
                const Share& share,
                const std::filesystem::path& path,
                std::vector<std::int64_t> slab_offsets);

    /// \param tensor the next one of the share
    void write(const PlannedTensor& tensor);
    /// After the last tensor: returns when all is on the disk, and the files are known by checksum.
    void finish();

    [[nodiscard]] std::int64_t bytes_done() const { return bytes_done_; }
    /// Bytes read from the checkpoint, those read a second time for a checksum included.
    [[nodiscard]] std::int64_t bytes_read() const { return bytes_read_; }
    /// The checksums as JSON: {"tensors": [[component, tensor, checksum, crc32]], "sources":
    /// [[file, checksum]]}.
    [[nodiscard]] std::string results() const;

private:
    struct TensorSum {
        std::size_t component;
        std::size_t tensor;
        std::uint64_t checksum;
        std::uint32_t crc32;
    };
    /// Where the bytes of one stored tensor go.
    struct Target;

    void find_own_files(const Share& share);
    void read(const PlannedTensor& tensor, std::int64_t at, std::span<std::byte> into);
    void copy_in_pieces(const PlannedTensor& tensor, Target* target);
    void copy_transposed(const PlannedTensor& tensor, Target& target);
    void put(const at::Tensor& piece, const PlannedTensor& tensor, Target& target);

    const ImportPlan& plan_;
    ByteFile output_;
    std::vector<std::int64_t> slab_offsets_;
    HostBuffer piece_;
    std::vector<std::optional<Checksum>> file_sums_;  ///< of the files that this rank reads wholly
    std::vector<std::size_t> other_files_;            ///< files cut between ranks, read again here
    std::vector<TensorSum> tensor_sums_;
    std::vector<std::uint64_t> other_sums_;
    std::int64_t bytes_done_ = 0;
    std::int64_t bytes_read_ = 0;
};

}  // namespace reelyard::store
