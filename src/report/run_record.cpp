#include "reelyard/report/run_record.hpp"

#include <fstream>
#include <sstream>

#include <nlohmann/json.hpp>

#include "reelyard/base/atomic_file.hpp"
#include "reelyard/base/error.hpp"

namespace reelyard {

// NOLINTNEXTLINE(readability-identifier-naming)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(
    ParallelLayout, replicas, cfg, ring, ulysses, tensor, shard_weights)

}  // namespace reelyard

namespace reelyard::report {

// NOLINTNEXTLINE(readability-identifier-naming)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(RunRecord,
                                   ranks,
                                   nodes,
                                   layout,
                                   device,
                                   threads,
                                   videos,
                                   steps,
                                   creation_seconds,
                                   denoise_seconds,
                                   decode_seconds,
                                   total_seconds,
                                   bytes_used,
                                   bytes_read,
                                   received_bytes,
                                   peak_bytes)

double RunRecord::step_seconds() const {
    return steps > 0 ? denoise_seconds / static_cast<double>(steps) : 0.0;
}

void write_run_record(const std::filesystem::path& file, const RunRecord& record) {
    write_file_atomically(file, nlohmann::json(record).dump(2) + '\n');
}

RunRecord read_run_record(const std::filesystem::path& file) {
    std::ifstream stream(file, std::ios::binary);
    require(stream.good(),
            ErrorKind::input,
            "{}: cannot be read (expected what a finished run leaves)",
            file.string());
    std::ostringstream text;
    text << stream.rdbuf();
    try {
        return nlohmann::json::parse(text.str()).get<RunRecord>();
    } catch (const nlohmann::json::exception& error) {
        fail(ErrorKind::input, "{}: {}", file.string(), error.what());
    }
}

}  // namespace reelyard::report
