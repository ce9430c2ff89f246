#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "reelyard/mpi/communicator.hpp"
#include "reelyard/store/store_file.hpp"

namespace reelyard::store {

/// Bytes of a slab and where they are to go.
struct Extent {
    std::int64_t offset = 0;  ///< in the slab
    std::span<std::byte> into;
};

/// How the bytes of a store reach the memory of the ranks.
class Transport {
public:
    Transport() = default;
    Transport(const Transport&) = delete;
    Transport& operator=(const Transport&) = delete;
    virtual ~Transport() = default;

    /// Reads this rank's extents of the slab of `component`, in large pieces. Collective; the
    /// extents differ from rank to rank and may be empty.
    /// \returns the bytes that this rank took from storage, as counted read by read
    /// \throws Error (storage) on the rank that it happens to, after all ranks are through
    virtual std::int64_t read(const std::string& component, std::span<const Extent> extents) = 0;
};

/// \param name "collective": HDF5 through MPI-IO
/// \param world all ranks that will read; outlives the transport
/// \throws Error (usage) for an unknown name, listing the known ones
[[nodiscard]] std::unique_ptr<Transport> make_transport(std::string_view name,
                                                        const StoreFile& file,
                                                        const mpi::Communicator& world);

[[nodiscard]] std::vector<std::string> transport_names();

}  // namespace reelyard::store
