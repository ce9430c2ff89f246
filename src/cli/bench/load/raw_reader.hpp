#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "reelyard/base/bytes.hpp"
#include "reelyard/spec/shard.hpp"
#include "reelyard/store/transport/direct_reader.hpp"

#include "touched_memory.hpp"

namespace reelyard::cli {

/// Reads parts of a file into a few buffers that it uses again and again: what the storage gives
/// when nobody keeps what is read.
class RawReader {
public:
    /// \param parts of the file, in the order in which they are read
    /// \param piece_bytes largest single read
    /// \throws Error (input) when the file cannot be opened
    RawReader(const std::filesystem::path& file,
              const std::vector<Interval>& parts,
              std::int64_t piece_bytes);

    /// \returns the bytes read \throws Error (storage)
    [[nodiscard]] std::int64_t read();

    /// Whether the page cache is passed by.
    [[nodiscard]] bool is_direct() const { return reader_.is_direct(); }

private:
    static constexpr std::int64_t buffers = 8;

    void start(std::size_t piece);

    std::vector<Interval> pieces_;
    std::int64_t piece_bytes_;
    TouchedMemory memory_;  // outlives the reads under way in reader_
    store::DirectReader reader_;
};

/// The part of a file region that a rank reads: pages, 1/ranks of them.
[[nodiscard]] Interval share_of(Interval region, Shard rank);

}  // namespace reelyard::cli
