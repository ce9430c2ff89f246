#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>

#include "reelyard/store/transport/transport.hpp"

namespace reelyard::store {

/// A file that is read around the page cache (O_DIRECT) where the file system takes it and file and
/// memory are aligned alike, and through the page cache elsewhere. Any number of threads may read.
class DirectFile {
public:
    /// \throws Error (input) when the file cannot be opened
    explicit DirectFile(std::filesystem::path path);
    DirectFile(const DirectFile&) = delete;
    DirectFile& operator=(const DirectFile&) = delete;
    ~DirectFile();

    /// Whether the file system accepts O_DIRECT, as far as is known by now.
    [[nodiscard]] bool is_direct() const { return is_direct_; }

    /// Fills the extent, whose offset is in the file. \returns the bytes that read calls delivered
    /// \throws Error (storage), also when the file ends before; Error (resources) when there is no
    /// memory behind the extent
    std::int64_t read(Extent extent);

private:
    /// What one call reads.
    struct Step {
        bool direct = false;
        std::size_t bytes = 0;
    };
    [[nodiscard]] Step next_step(const Extent& extent) const;
    [[nodiscard]] std::int64_t read_some(const Extent& extent, Step step);
    void give_up_direct();

    std::filesystem::path path_;
    int buffered_;
    int direct_;  // -1: refused
    std::atomic<bool> is_direct_;
};

}  // namespace reelyard::store
