#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>

#include "reelyard/store/transport/transport.hpp"

namespace reelyard::store {

/// Reads of one file by a few threads, around the page cache (O_DIRECT) where the file system
/// allows it and the alignment of file and memory does, through it elsewhere. Each thread has one
/// read under way, so that several are in flight.
class DirectReader {
public:
    /// \param threads reads in flight; 0 for the default
    /// \throws Error (input) when the file cannot be opened
    explicit DirectReader(const std::filesystem::path& path, int threads = 0);
    DirectReader(const DirectReader&) = delete;
    DirectReader& operator=(const DirectReader&) = delete;
    ~DirectReader();

    /// Whether the file system accepted O_DIRECT.
    [[nodiscard]] bool is_direct() const;

    /// As Transport::start(); offsets are in the file.
    void start(ReadTask task);
    /// As Transport::finish(), but of this rank alone.
    std::int64_t finish(const std::function<void()>& idle);

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace reelyard::store
