#pragma once

#include <memory>

#include <c10/core/Device.h>

#include "reelyard/mpi/communicator.hpp"
#include "reelyard/parallel/message_backend.hpp"

namespace reelyard::parallel {

/// Whether this program is built with NCCL.
[[nodiscard]] bool has_nccl();

/// Messages between GPUs over NCCL, of tensors on the CPU over MPI. The ranks find each other over
/// MPI: no port and no environment variable is needed.
///
/// NCCL has no tags. Between two ranks the first message that is sent is the first that is
/// received, and a GPU does not begin a transfer before those that were started before it. So
/// is_ordered(), and what uses it must start all messages of a group in one order on all its ranks:
/// TensorComm does when all ranks call the same operations in the same order. Ranks that are in
/// several groups together must, in addition, start operations of these groups in one order.
///
/// Messages go on a stream of their own, after all work that the present stream has when they are
/// started; that stream in turn waits for them when they are found to be through. An error of NCCL
/// becomes an Error (communication) of the next test(). The destructor takes back what is not
/// through, so that nothing waits for ranks that are gone.
///
/// Collective over `group`. \param group of its own, each rank with a GPU of its own
/// \param device the GPU \param timeout seconds that finding each other, and starting messages, may
/// take \throws Error (resources) in a program that is built without NCCL, (communication) when the
/// ranks do not find each other
[[nodiscard]] std::unique_ptr<MessageBackend> make_nccl_backend(mpi::Communicator group,
                                                                c10::Device device,
                                                                double timeout);

}  // namespace reelyard::parallel
