#pragma once

#include <string>

#include "reelyard/store/weight_loader.hpp"

namespace reelyard::cli {

/// What passes between the start of the process and the first denoising step.
struct StartTimes {
    double program_seconds = 0.0;  ///< from the start of the process until MPI is started
    double mpi_seconds = 0.0;
    double index_seconds = 0.0;   ///< finding and reading the store's index
    double text_seconds = 0.0;    ///< encoding texts, without loading the encoder
    double attach_seconds = 0.0;  ///< making models of weights that are there
    double ready_seconds = 0.0;   ///< from the start of the process until all is there
};

/// What a rank waited for loading.
[[nodiscard]] double loading_seconds(const store::LoadReport& loaded);

/// "ready for the first step 1.9 s after the start: program 200 ms, MPI 120 ms, ...".
[[nodiscard]] std::string start_text(const StartTimes& times, const store::LoadReport& loaded);

}  // namespace reelyard::cli
