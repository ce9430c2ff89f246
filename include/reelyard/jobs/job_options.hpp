#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "reelyard/jobs/generation_settings.hpp"
#include "reelyard/jobs/problems.hpp"
#include "reelyard/spec/dtype.hpp"

namespace reelyard::jobs {

/// [model]
struct ModelOptions {
    std::filesystem::path store;
    DType dtype = DType::bfloat16;
    std::string device = "auto";  ///< auto, cpu, cuda or cuda:N
};

/// [load]
struct LoadingOptions {
    std::string transport = "auto";  ///< one of KnownNames::transports
    bool verify = true;              ///< compare weights with their checksums
    std::string staged = "auto";     ///< auto, off, or the folder of staged copies
};

/// [parallel]: how many ranks make one video, and how they share it; see ParallelLayout. Degrees of
/// 0 are left to the program.
struct ParallelOptions {
    int cfg = 0;
    int ring = 0;
    int ulysses = 0;
    int tensor = 0;
    std::string goal = "throughput";  ///< or latency: what the program chooses degrees for
    bool shard_weights = false;
    double timeout = 600.0;  ///< seconds that the ranks of a group wait for one another
};

/// [decode]
struct DecodeOptions {
    bool tiling = false;
    std::int64_t tile_size = 256;    ///< pixels
    std::int64_t tile_stride = 192;  ///< pixels
};

/// [output]
struct OutputOptions {
    std::filesystem::path dir = "out";
    std::string video = "mp4";
    bool latents = false;
    bool frames = false;
    bool contact_sheet = false;
};

/// Where messages go.
struct LogOptions {
    std::filesystem::path file;   ///< empty: none
    std::filesystem::path trace;  ///< what ranks compute and exchange, and when; empty: none
    bool quiet = false;
};

/// Generation settings with where each came from.
struct GenerationLayer {
    GenerationSettings settings;
    std::map<std::string, Place> places;  ///< by key
};

/// A job as its file and the command line describe it.
struct JobOptions {
    std::filesystem::path job_file;  ///< empty: all came from the command line
    ModelOptions model;
    LoadingOptions load;
    ParallelOptions parallel;
    std::filesystem::path prompts;
    GenerationLayer generate_in_job_file;
    GenerationLayer generate_on_command_line;
    /// [generate] sequence_batch: both branches of the guidance in one pass, as a batch of two
    bool sequence_batch = false;
    DecodeOptions decode;
    OutputOptions output;
    LogOptions log;
    bool help = false;  ///< only the help text is wanted; nothing else is set
};

/// What a job is read for.
enum class JobUse {
    run,   ///< it must name a model and prompts
    plan,  ///< it may leave out both
};

/// Reads `[JOB.ini] [--section.key VALUE]...`: every key of the job file is an option too, and the
/// command line wins. Paths in the job file are relative to its folder, those on the command line
/// to the current one. \throws Error (usage, input) that names every mistake
[[nodiscard]] JobOptions read_job(const std::vector<std::string>& arguments,
                                  const KnownNames& names,
                                  JobUse use = JobUse::run);

/// All options with their defaults, as text.
[[nodiscard]] std::string job_help(const KnownNames& names);

}  // namespace reelyard::jobs
