#pragma once

#include <cstdint>
#include <string>

#include "reelyard/mpi/communicator.hpp"

namespace reelyard::store {

/// A file in memory without a name that all ranks of a node have open: what they map of it is the
/// same memory, which goes with the last mapping, also when ranks are killed.
class SharedFile {
public:
    /// In huge pages where that pays and the system allows it, in /dev/shm otherwise. Collective.
    /// \throws Error (resources) on all ranks of the node when there is no room
    SharedFile(std::int64_t bytes, const mpi::Communicator& node);
    SharedFile(const SharedFile&) = delete;
    SharedFile& operator=(const SharedFile&) = delete;
    ~SharedFile();

    [[nodiscard]] int fd() const { return fd_; }
    /// Why it is in /dev/shm although huge pages would have paid; empty when that is not so.
    [[nodiscard]] const std::string& small_pages_reason() const { return small_pages_reason_; }

private:
    void open_with_huge_pages(std::int64_t bytes, const mpi::Communicator& node);
    void open_in_dev_shm(std::int64_t bytes, const mpi::Communicator& node);
    void close();

    int fd_ = -1;
    std::string small_pages_reason_;
};

}  // namespace reelyard::store
