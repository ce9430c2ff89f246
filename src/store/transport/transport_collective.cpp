#include "transport_collective.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "reelyard/base/bytes.hpp"
#include "reelyard/base/error.hpp"
#include "reelyard/mpi/agreement.hpp"
#include "reelyard/mpi/check.hpp"

#include "file/h5.hpp"
#include "file/store_names.hpp"

namespace reelyard::store {
namespace {

// Well below MPI's count limit; large enough that the number of calls does not matter.
constexpr std::int64_t piece_bytes = 256 * mebibyte;

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

/// The extents cut into pieces that one call can read.
std::vector<Extent> cut(std::span<const Extent> extents) {
    std::vector<Extent> pieces;
    for (const Extent& extent : extents) {
        for (std::int64_t at = 0; at < static_cast<std::int64_t>(extent.into.size());
             at += piece_bytes) {
            const auto bytes =
                std::min(piece_bytes, static_cast<std::int64_t>(extent.into.size()) - at);
            pieces.push_back({.offset = extent.offset + at,
                              .into = extent.into.subspan(static_cast<std::size_t>(at),
                                                          static_cast<std::size_t>(bytes))});
        }
    }
    return pieces;
}

class CollectiveTransport final : public Transport {
public:
    CollectiveTransport(const StoreFile& file, const mpi::Communicator& world)
        : path_(file.path())
        , world_(world)
        , file_(open()) {}

    std::int64_t read(const std::string& component, std::span<const Extent> extents) override {
        const h5::Dataset slab(h5::check(
            H5Dopen2(file_.get(), names::slab(component).c_str(), H5P_DEFAULT), "H5Dopen2", path_));
        const std::vector<Extent> pieces = cut(extents);
        const std::int64_t calls = world_.max(static_cast<std::int64_t>(pieces.size()));
        std::int64_t bytes = 0;
        std::optional<Error> failure;
        for (std::int64_t call = 0; call < calls; ++call) {
            // All ranks take part in every call: those that have nothing left, or have failed, with
            // an empty selection.
            const bool takes_part = !failure && call < static_cast<std::int64_t>(pieces.size());
            try {
                bytes += read_piece(slab,
                                    takes_part ? pieces[static_cast<std::size_t>(call)] : Extent{});
            } catch (const Error& error) {
                failure = error;
            }
        }
        if (failure) {
            throw Error(*failure);
        }
        return bytes;
    }

private:
    [[nodiscard]] h5::File open() const {
        h5::silence();
        const Hints hints;
        const h5::Properties access(h5::check(H5Pcreate(H5P_FILE_ACCESS), "H5Pcreate", path_));
        h5::check(H5Pset_fapl_mpio(access.get(), world_.handle(), hints.get()),
                  "H5Pset_fapl_mpio",
                  path_);
        h5::check(H5Pset_all_coll_metadata_ops(access.get(), true),
                  "H5Pset_all_coll_metadata_ops",
                  path_);
        return h5::File(
            h5::check(H5Fopen(path_.c_str(), H5F_ACC_RDONLY, access.get()), "H5Fopen", path_));
    }

    /// \returns the bytes read
    [[nodiscard]] std::int64_t read_piece(const h5::Dataset& slab, const Extent& piece) const {
        const h5::Properties transfer(h5::check(H5Pcreate(H5P_DATASET_XFER), "H5Pcreate", path_));
        // Explicit: the default is independent, whatever the file was opened with.
        h5::check(
            H5Pset_dxpl_mpio(transfer.get(), H5FD_MPIO_COLLECTIVE), "H5Pset_dxpl_mpio", path_);

        const h5::Dataspace on_disk(h5::check(H5Dget_space(slab.get()), "H5Dget_space", path_));
        const auto start = static_cast<hsize_t>(piece.offset);
        const auto count = static_cast<hsize_t>(piece.into.size());
        const h5::Dataspace in_memory(
            h5::check(H5Screate_simple(1, &count, nullptr), "H5Screate_simple", path_));
        if (count == 0) {
            h5::check(H5Sselect_none(on_disk.get()), "H5Sselect_none", path_);
            h5::check(H5Sselect_none(in_memory.get()), "H5Sselect_none", path_);
        } else {
            h5::check(H5Sselect_hyperslab(
                          on_disk.get(), H5S_SELECT_SET, &start, nullptr, &count, nullptr),
                      "H5Sselect_hyperslab",
                      path_);
        }
        h5::check(H5Dread(slab.get(),
                          H5T_STD_U8LE,
                          in_memory.get(),
                          on_disk.get(),
                          transfer.get(),
                          piece.into.data()),
                  "H5Dread",
                  path_);
        return H5Sget_select_npoints(on_disk.get());
    }

    std::filesystem::path path_;
    const mpi::Communicator& world_;
    h5::File file_;
};

}  // namespace

std::unique_ptr<Transport> make_collective_transport(const StoreFile& file,
                                                     const mpi::Communicator& world) {
    return std::make_unique<CollectiveTransport>(file, world);
}

}  // namespace reelyard::store
