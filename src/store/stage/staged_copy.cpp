#include "stage/staged_copy.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include "reelyard/base/error.hpp"
#include "reelyard/mpi/agreement.hpp"

#include "file/byte_file.hpp"

namespace reelyard::store {

std::filesystem::path staged_path(const StoreFile& file, const std::filesystem::path& folder) {
    return folder / (file.fingerprint() + ".h5");
}

std::int64_t file_bytes_of(const StoreFile& file, const mpi::Communicator& world) {
    return std::stoll(mpi::on_root(world, [&] {
        return std::to_string(ByteFile(file.path(), ByteFile::Access::read).size());
    }));
}

std::string flaw_of_copy(const std::filesystem::path& path,
                         const StoreFile& file,
                         std::int64_t file_bytes,
                         const mpi::Communicator& alone) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) {
        return fmt::format("no staged copy in {}", path.parent_path().string());
    }
    // Anyone may have put it into a folder that all may write to.
    if (status.st_uid != ::geteuid() && status.st_uid != 0) {
        return fmt::format("the staged copy {} belongs to another user", path.string());
    }
    if (status.st_size != file_bytes) {
        return fmt::format("the staged copy {} has {} bytes (expected {})",
                           path.string(),
                           status.st_size,
                           file_bytes);
    }
    try {
        const StoreFile copy = StoreFile::open(path, alone);
        return copy.fingerprint() == file.fingerprint()
                   ? ""
                   : fmt::format("the staged copy {} is of another store", path.string());
    } catch (const Error& error) {
        return fmt::format("the staged copy is broken: {}", error.message());
    }
}

std::string flaw_on_node(const std::filesystem::path& path,
                         const StoreFile& file,
                         std::int64_t file_bytes,
                         const mpi::Communicator& node) {
    const mpi::Communicator alone = node.split(node.rank(), 0);
    return mpi::on_root(node, [&] { return flaw_of_copy(path, file, file_bytes, alone); });
}

}  // namespace reelyard::store
