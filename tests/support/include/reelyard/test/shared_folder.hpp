#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "reelyard/mpi/check.hpp"
#include "reelyard/mpi/communicator.hpp"

#include "reelyard/test/temporary_folder.hpp"

namespace reelyard::test {

/// An own copy of the world, as Session::world() hands it out.
inline mpi::Communicator world() {
    MPI_Comm copy = MPI_COMM_NULL;
    mpi::check(MPI_Comm_dup(MPI_COMM_WORLD, &copy), "MPI_Comm_dup");
    return mpi::Communicator::adopt(copy);
}

/// A temporary folder of the root that all ranks know; removed when all are through with it.
class SharedFolder {
public:
    SharedFolder() : world_(test::world()) {
        if (world_.rank() == 0) {
            own_.emplace();
        }
        path_ = world_.broadcast_text(own_ ? own_->path().string() : "", 0);
    }
    ~SharedFolder() { MPI_Barrier(world_.handle()); }
    SharedFolder(const SharedFolder&) = delete;
    SharedFolder& operator=(const SharedFolder&) = delete;

    [[nodiscard]] const mpi::Communicator& world() const { return world_; }
    [[nodiscard]] std::filesystem::path operator/(const std::string& name) const {
        return path_ / name;
    }

private:
    mpi::Communicator world_;
    std::optional<TemporaryFolder> own_;
    std::filesystem::path path_;
};

}  // namespace reelyard::test
