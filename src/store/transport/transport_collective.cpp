#include "transport_collective.hpp"

#include <algorithm>
#include <cstring>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "reelyard/base/error.hpp"
#include "reelyard/mpi/check.hpp"

#include "file/byte_file.hpp"
#include "file/h5.hpp"
#include "file/store_names.hpp"
#include "memory/host_buffer.hpp"

namespace reelyard::store {
namespace {

/// Settings for the MPI-IO library. Those it does not know it ignores.
class Hints {
public:
    Hints() {
        mpi::check(MPI_Info_create(&info_), "MPI_Info_create");
        set("romio_cb_read", "enable");   // ROMIO: aggregators read whole stripes
        set("romio_ds_read", "disable");  // our pieces have no holes to read over
        set("cb_buffer_size", "16777216");
    }
    Hints(const Hints&) = delete;
    Hints& operator=(const Hints&) = delete;
    ~Hints() { MPI_Info_free(&info_); }
    [[nodiscard]] MPI_Info get() const { return info_; }

private:
    void set(const char* key, const char* value) const {
        mpi::check(MPI_Info_set(info_, key, value), "MPI_Info_set");
    }
    MPI_Info info_ = MPI_INFO_NULL;
};

std::int64_t total_bytes(const std::vector<Extent>& extents) {
    std::int64_t bytes = 0;
    for (const Extent& extent : extents) {
        bytes += static_cast<std::int64_t>(extent.into.size());
    }
    return bytes;
}

std::vector<Extent> in_file_order(std::vector<Extent> extents) {
    std::sort(extents.begin(), extents.end(), [](const Extent& a, const Extent& b) {
        return a.offset < b.offset;
    });
    return extents;
}

/// The zeros that memory ends with.
std::span<const std::byte> zeros_at_end(std::span<const std::byte> memory) {
    const auto zero = [](std::byte value) {
        return value == std::byte{0};
    };
    const auto last = std::find_if_not(memory.rbegin(), memory.rend(), zero);
    return memory.last(static_cast<std::size_t>(last - memory.rbegin()));
}

class CollectiveTransport final : public Transport {
public:
    CollectiveTransport(const StoreFile& file,
                        const std::string& component,
                        const mpi::Communicator& world)
        : path_(file.path())
        , slab_offset_(file.slab_offset(component))
        , world_(world)
        , file_(open(world))
        , slab_(h5::check(H5Dopen2(file_.get(), names::slab(component).c_str(), H5P_DEFAULT),
                          "H5Dopen2",
                          path_)) {}

    void start(ReadTask task) override { waiting_.push_back(std::move(task)); }

    std::int64_t finish(const std::function<void()>& idle) override {
        const ReadTask task = std::move(waiting_.front());
        waiting_.pop_front();
        idle();
        const std::optional<Error> no_memory = make_present(task.extents);
        take_part(no_memory ? std::vector<Extent>{} : task.extents);
        if (no_memory) {
            throw Error(*no_memory);
        }
        if (task.then) {
            task.then();
        }
        return total_bytes(task.extents);
    }

    [[nodiscard]] bool goes_on_after_failure() const override { return !is_stuck_; }

private:
    /// \returns why there is no memory behind some extent: the others need this rank all the same
    [[nodiscard]] static std::optional<Error> make_present(const std::vector<Extent>& extents) {
        try {
            for (const Extent& extent : extents) {
                populate(extent.into);
            }
        } catch (const Error& error) {
            return error;
        }
        return std::nullopt;
    }

    void take_part(const std::vector<Extent>& extents) {
        try {
            read(extents);
        } catch (Error& error) {
            fail_alone(error, extents);
        }
    }

    /// The others may be waiting inside the read that failed here: closing the file would be
    /// waiting for them.
    [[noreturn]] void fail_alone(Error& error, const std::vector<Extent>& extents) {
        if (!extents.empty()) {
            error.add_context(fmt::format("reading {} bytes at byte {}",
                                          total_bytes(extents),
                                          slab_offset_ + in_file_order(extents).front().offset));
        }
        if (world_.size() > 1) {
            error.add_context(fmt::format("on rank {}", world_.rank()));
            is_stuck_ = true;
            slab_.abandon();
            file_.abandon();
        }
        throw error;
    }

    [[nodiscard]] h5::File open(const mpi::Communicator& world) const {
        h5::silence();
        const Hints hints;
        const h5::Properties access = h5::access_without_locks(path_);
        h5::check(
            H5Pset_fapl_mpio(access.get(), world.handle(), hints.get()), "H5Pset_fapl_mpio", path_);
        h5::check(H5Pset_all_coll_metadata_ops(access.get(), true),
                  "H5Pset_all_coll_metadata_ops",
                  path_);
        return h5::File(
            h5::check(H5Fopen(path_.c_str(), H5F_ACC_RDONLY, access.get()), "H5Fopen", path_));
    }

    /// Several extents are one call, as every rank makes one call a round, and go through a buffer.
    void read(const std::vector<Extent>& extents) const {
        if (extents.size() == 1) {
            read(extents, extents.front().into);
            return;
        }
        const HostBuffer buffer(total_bytes(extents));
        std::span<std::byte> rest = buffer.part(0, buffer.size());
        read(extents, rest);
        for (const Extent& extent : in_file_order(extents)) {
            std::memcpy(extent.into.data(), rest.data(), extent.into.size());
            rest = rest.subspan(extent.into.size());
        }
    }

    void read(const std::vector<Extent>& extents, std::span<std::byte> into) const {
        const h5::Properties transfer(h5::check(H5Pcreate(H5P_DATASET_XFER), "H5Pcreate", path_));
        // Explicit: the default is independent, whatever the file was opened with.
        h5::check(
            H5Pset_dxpl_mpio(transfer.get(), H5FD_MPIO_COLLECTIVE), "H5Pset_dxpl_mpio", path_);
        const auto bytes = static_cast<hsize_t>(into.size());
        const h5::Dataspace in_memory(
            h5::check(H5Screate_simple(1, &bytes, nullptr), "H5Screate_simple", path_));
        const h5::Dataspace on_disk(h5::check(H5Dget_space(slab_.get()), "H5Dget_space", path_));
        h5::check(H5Sselect_none(on_disk.get()), "H5Sselect_none", path_);
        if (into.empty()) {
            h5::check(H5Sselect_none(in_memory.get()), "H5Sselect_none", path_);
        }
        for (const Extent& extent : extents) {
            const auto start = static_cast<hsize_t>(extent.offset);
            const auto count = static_cast<hsize_t>(extent.into.size());
            h5::check(
                H5Sselect_hyperslab(on_disk.get(), H5S_SELECT_OR, &start, nullptr, &count, nullptr),
                "H5Sselect_hyperslab",
                path_);
        }
        h5::check(H5Dread(slab_.get(),
                          H5T_STD_U8LE,
                          in_memory.get(),
                          on_disk.get(),
                          transfer.get(),
                          into.data()),
                  "H5Dread",
                  path_);
        if (!into.empty()) {
            check_end(in_file_order(extents).back(), into);
        }
    }

    /// Not every MPI-IO library reports a read that failed or came short. HDF5 then takes it that
    /// the file ends there and puts zeros behind what it got: those are compared with the file.
    void check_end(const Extent& last, std::span<const std::byte> memory) const {
        const auto zeros = zeros_at_end(memory.last(last.into.size()));
        if (zeros.empty()) {
            return;
        }
        const auto bytes = static_cast<std::int64_t>(zeros.size());
        std::vector<std::byte> stored(zeros.size());
        ByteFile(path_, ByteFile::Access::read)
            .read(slab_offset_ + last.offset + static_cast<std::int64_t>(last.into.size()) - bytes,
                  stored);
        require(zeros_at_end(stored).size() == stored.size(),
                ErrorKind::storage,
                "{}: MPI-IO delivered fewer bytes than the file has and reported no error; try "
                "--load.transport=direct",
                path_.string());
    }

    std::filesystem::path path_;
    std::int64_t slab_offset_;
    const mpi::Communicator& world_;
    h5::File file_;
    h5::Dataset slab_;
    std::deque<ReadTask> waiting_;
    bool is_stuck_ = false;  ///< a read failed here that others may still be in
};

}  // namespace

std::unique_ptr<Transport> make_collective_transport(const StoreFile& file,
                                                     const std::string& component,
                                                     const mpi::Communicator& world) {
    return std::make_unique<CollectiveTransport>(file, component, world);
}

}  // namespace reelyard::store
