#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "reelyard/mpi/communicator.hpp"
#include "reelyard/store/store_file.hpp"

namespace reelyard::store {

/// A run of bytes and where it is to go.
struct Extent {
    std::int64_t offset = 0;  ///< in the slab, or in the file where that is said
    std::span<std::byte> into;
};

/// One read of one rank, and what is done with the bytes as soon as they are there.
struct ReadTask {
    std::vector<Extent> extents = {};  ///< may be empty; adjoining ones are read as one
    std::function<void()> then = {};   ///< on any thread, before finish() of this read returns
};

/// How the bytes of one slab reach the memory of the ranks. Reads are started in some order and
/// finished in the same one.
class Transport {
public:
    Transport() = default;
    Transport(const Transport&) = delete;
    Transport& operator=(const Transport&) = delete;
    virtual ~Transport() = default;

    /// Hands over a read; does not wait. The memory of its extents is written to until finish() of
    /// it returns. Every rank starts as many reads as every other, with extents of its own.
    virtual void start(ReadTask task) = 0;

    /// Waits for the oldest read that was started and not finished. Collective.
    /// \param idle called now and then while there is nothing to do but wait
    /// \returns the bytes that it took from storage, as counted read by read
    /// \throws Error (storage) when it failed on this rank; see goes_on_after_failure()
    virtual std::int64_t finish(const std::function<void()>& idle) = 0;

    /// Whether the reads after a failed one can still be finished, by this rank and the others.
    /// Where not, the others may wait in that read for ever: its error is not to be agreed upon,
    /// but to end the job.
    [[nodiscard]] virtual bool goes_on_after_failure() const = 0;
};

/// Which transport is used, and why, in words for the user.
struct TransportChoice {
    std::string name;
    std::string reason;  ///< "asked for", "ext4 is a local file system" ...
};

/// \param asked "auto", or the name of a transport
/// \param nodes how many nodes the ranks that read are on
/// \throws Error (usage) for an unknown name, listing the known ones
[[nodiscard]] TransportChoice choose_transport(std::string_view asked,
                                               const std::filesystem::path& store,
                                               int nodes);

/// Opens the slab of `component`. Collective.
/// \param name "collective": HDF5 through MPI-IO; "direct": large reads around the page cache
/// \param world all ranks that will read; outlives the transport
[[nodiscard]] std::unique_ptr<Transport> make_transport(std::string_view name,
                                                        const StoreFile& file,
                                                        const std::string& component,
                                                        const mpi::Communicator& world);

/// The names that choose_transport() accepts: "auto", then the transports.
[[nodiscard]] std::vector<std::string> transport_names();

}  // namespace reelyard::store
