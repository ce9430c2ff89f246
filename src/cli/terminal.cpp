#include "terminal.hpp"

#include <cstdlib>
#include <string>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace reelyard::cli {
namespace {

constexpr int usual_columns = 80;

std::optional<int> columns_of(int descriptor) {
    if (isatty(descriptor) == 0) {
        return std::nullopt;
    }
    winsize size{};
    const bool known = ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return known ? size.ws_col : usual_columns;
}

/// Of the terminal that the parent process writes its errors to, if it is Open MPI's mpirun.
std::optional<int> columns_of_mpirun() {
    if (std::getenv("OMPI_COMM_WORLD_SIZE") == nullptr) {
        return std::nullopt;
    }
    const auto path = "/proc/" + std::to_string(getppid()) + "/fd/2";
    const int descriptor = open(path.c_str(), O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (descriptor < 0) {
        return std::nullopt;
    }
    const auto columns = columns_of(descriptor);
    close(descriptor);
    return columns;
}

}  // namespace

std::optional<int> terminal_columns() {
    const auto own = columns_of(STDERR_FILENO);
    return own ? own : columns_of_mpirun();
}

}  // namespace reelyard::cli
