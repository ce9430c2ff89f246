#include "start_times.hpp"

#include <algorithm>

#include "reelyard/base/clock.hpp"
#include "reelyard/base/format.hpp"

namespace reelyard::cli {

double loading_seconds(const store::LoadReport& loaded) {
    return loaded.read_seconds + loaded.exchange_seconds + loaded.attach_seconds;
}

std::string start_text(const StartTimes& times, const store::LoadReport& loaded) {
    const double attach = times.attach_seconds + loaded.attach_seconds;
    const double known = times.program_seconds + times.mpi_seconds + times.index_seconds +
                         loading_seconds(loaded) + times.attach_seconds + times.text_seconds;
    return fmt::format(
        "ready for the first step {} after the start: program {}, MPI {}, index {}, read {}, "
        "exchange {}, "
        "attach {}, texts {}, other {}",
        format_seconds(times.ready_seconds),
        format_seconds(times.program_seconds),
        format_seconds(times.mpi_seconds),
        format_seconds(times.index_seconds),
        format_seconds(loaded.read_seconds),
        format_seconds(loaded.exchange_seconds),
        format_seconds(attach),
        format_seconds(times.text_seconds),
        format_seconds(std::max(times.ready_seconds - known, 0.0)));
}

}  // namespace reelyard::cli
