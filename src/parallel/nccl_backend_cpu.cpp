#include "reelyard/base/error.hpp"
#include "reelyard/parallel/nccl_backend.hpp"

namespace reelyard::parallel {

bool has_nccl() {
    return false;
}

std::unique_ptr<MessageBackend> make_nccl_backend(mpi::Communicator /*group*/,
                                                  c10::Device /*device*/,
                                                  double /*timeout*/) {
    fail(ErrorKind::resources,
         "nccl: this program is built without CUDA (expected the backend mpi or auto)");
}

}  // namespace reelyard::parallel
