#include "reelyard/mpi/check.hpp"

#include <array>
#include <string>

#include <mpi.h>

#include "reelyard/base/error.hpp"
#include "reelyard/base/format.hpp"

namespace reelyard::mpi {

void check(int code, const char* call, std::source_location where) {
    if (code == MPI_SUCCESS) {
        return;
    }
    std::array<char, MPI_MAX_ERROR_STRING> text{};
    int length = 0;
    MPI_Error_string(code, text.data(), &length);
    throw Error(
        ErrorKind::communication,
        fmt::format(
            "{} failed: {}", call, std::string(text.data(), static_cast<std::size_t>(length))),
        where);
}

}  // namespace reelyard::mpi
