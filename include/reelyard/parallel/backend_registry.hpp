#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <c10/core/Device.h>

#include "reelyard/mpi/communicator.hpp"
#include "reelyard/parallel/message_backend.hpp"

namespace reelyard::parallel {

/// "auto", "mpi", "nccl".
[[nodiscard]] std::vector<std::string> backend_names();

/// What carries the messages of a group: "nccl" when that is wished, or when all have a GPU of
/// their own and this program is built with NCCL; otherwise "mpi". Collective over `group`, the
/// same on all ranks. \param wish one of backend_names() \param device that this rank's tensors are
/// on \throws Error (usage) for another wish, (resources) when "nccl" is wished and cannot be
[[nodiscard]] std::string choose_backend(std::string_view wish,
                                         const mpi::Communicator& group,
                                         c10::Device device);

/// What is asked of a backend that is to be made.
struct BackendWish {
    std::string_view name = "auto";
    c10::Device device = c10::DeviceType::CPU;  ///< that this rank's tensors are on
    double timeout = 0.0;                       ///< seconds that finding each other may take
};

/// The backend that is chosen; none for a group of one rank. Collective over `group`.
/// \param group of its own: nobody else may send with its communicator
/// \throws Error as choose_backend(), and (communication) when the ranks do not find each other
[[nodiscard]] std::unique_ptr<MessageBackend> make_backend(mpi::Communicator group,
                                                           const BackendWish& wish);

}  // namespace reelyard::parallel
