#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <c10/core/Device.h>

#include "reelyard/mpi/communicator.hpp"
#include "reelyard/spec/dtype.hpp"
#include "reelyard/spec/model_spec.hpp"
#include "reelyard/spec/shard.hpp"
#include "reelyard/store/block_shard.hpp"
#include "reelyard/store/store_file.hpp"
#include "reelyard/store/weight_set.hpp"

namespace reelyard::store {

/// Where the weights of a rank on the CPU lie.
enum class HostMemory {
    shared,    ///< one copy for all ranks of a node that hold the same, where there is room for it
    own_copy,  ///< a copy of its own for each rank
    passing  ///< a copy of its own on its device, through memory that the node's ranks share; so it
             ///< always is on a GPU
};

/// How a component is loaded. Shards may differ from rank to rank, all else is the same on all.
struct LoadOptions {
    DType compute = DType::float32;  ///< type of the tensors that the model computes with
    c10::Device device = c10::Device(c10::kCPU);
    /// Which tensors are wanted; all when empty. The others are not read.
    std::function<bool(const std::string& name)> wanted = {};
    /// Which slice of each split tensor this rank holds (tensor parallelism).
    Shard tensor_parallel = {};
    /// Which part of each block this rank keeps (sharded weights). Tensors outside the blocks are
    /// held by every rank.
    Shard weight_shard = {};
    bool verify = true;  ///< compare the tensors that are read whole with their checksums
    std::string transport = "auto";  ///< as choose_transport() takes it
    HostMemory host_memory = HostMemory::shared;
    int ranks_per_node = 0;        ///< 0: as they really lie; see mpi::NodeLayout
    std::int64_t piece_bytes = 0;  ///< largest read; 0 for the default
};

/// What loading cost this rank, and how it was done.
struct LoadReport {
    std::int64_t bytes_used = 0;       ///< bytes of the store that any rank needs; the same on all
    std::int64_t bytes_read = 0;       ///< that this rank took from storage
    std::int64_t bytes_exchanged = 0;  ///< that this rank received from other nodes
    double read_seconds = 0.0;         ///< waiting for reads, conversion and checksums included
    double exchange_seconds = 0.0;     ///< waiting for other ranks, beyond that
    double attach_seconds = 0.0;       ///< making tensors of what was read
    std::string transport;             ///< which was used
    std::string transport_reason;      ///< and why
    bool shared_host_copy = false;     ///< whether several ranks share the memory of the weights
    /// Why there is no shared copy though one was wanted; empty otherwise.
    std::string private_reason;
    /// Why memory that ranks share is not in huge pages, which makes loading slower; empty when
    /// nothing is shared, when it is in huge pages, or when it is too small for them.
    std::string small_pages_reason;
};

/// Adds what another load cost; of how it was done, the last load tells.
void add(LoadReport& totals, const LoadReport& part);

struct LoadedWeights {
    WeightSet weights;               ///< all tensors, but those of blocks when these are sharded
    std::vector<BlockShard> blocks;  ///< empty unless weights are sharded
    LoadReport report;
};

/// Loads the weights of one component. Collective: each byte that any rank needs is read from
/// storage by one rank, in large pieces, straight to where it stays (converted in flight where the
/// type differs), and sent to the other nodes while the next pieces are read. Ranks of one node
/// that need the same bytes share one copy of them. Which rank reads what is decided beforehand, so
/// that nodes and ranks carry equal shares. Weights that are stored transposed are views with
/// swapped strides; nobody may write to a weight.
///
/// Slices of a tensor parallel degree that does not divide differ in size by one unit (see Split);
/// together they are always the whole tensor.
///
/// \throws Error on all ranks: (input) when store and spec do not agree, or a checksum is wrong;
/// (storage), (resources)
[[nodiscard]] LoadedWeights load_component(const StoreFile& file,
                                           const ComponentSpec& spec,
                                           const mpi::Communicator& world,
                                           const LoadOptions& options);

/// Called on every rank, now and then, with the bytes of all ranks.
using VerifyProgress = std::function<void(std::int64_t done_bytes, std::int64_t total_bytes)>;

/// Compares every tensor of the store with its checksum. Collective: the ranks share the work.
/// \returns the tensors that differ, as "component/tensor"; the same on all ranks
[[nodiscard]] std::vector<std::string> find_corrupted_tensors(const StoreFile& file,
                                                              const mpi::Communicator& world,
                                                              const VerifyProgress& progress);

}  // namespace reelyard::store
