#include "run_trace.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include "reelyard/base/atomic_file.hpp"
#include "reelyard/base/clock.hpp"
#include "reelyard/base/error.hpp"
#include "reelyard/base/log.hpp"
#include "reelyard/mpi/agreement.hpp"
#include "reelyard/mpi/clock_offset.hpp"
#include "reelyard/trace/trace_file.hpp"

namespace reelyard::cli {
namespace {

constexpr int root = 0;
constexpr int events_tag = 1;

std::string host_name() {
    std::array<char, 256> name{};
    return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown host";
}

/// The file of a trace, from its beginning on; it has its name when it is whole.
class TraceFile {
public:
    explicit TraceFile(const std::filesystem::path& path)
        : path_(path)
        , temporary_(partial_path(path))
        , file_(posix_file_system().open(temporary_.path(), FileSystem::Mode::truncate)) {
        write(trace::file_beginning());
    }

    void write(std::string_view text) {
        file_->write(std::as_bytes(std::span(text.data(), text.size())));
    }

    void finish(std::int64_t dropped) {
        write(trace::file_end(dropped));
        temporary_.commit(path_);
    }

private:
    std::filesystem::path path_;
    TemporaryFile temporary_;
    std::unique_ptr<WritableFile> file_;
};

/// What rank 0 says of a rank's events.
std::string figures_of(const trace::Recorder& recorder) {
    const auto time = recorder.exchange_time();
    return nlohmann::json{
        {"in_flight", time.in_flight}, {"waited", time.waited}, {"dropped", recorder.dropped()}}
        .dump();
}

/// Of the rank that waited longest.
void log_exchange(const std::vector<nlohmann::json>& ranks) {
    const auto waited = [](const nlohmann::json& rank) {
        return rank.at("waited").get<double>();
    };
    const auto worst =
        std::max_element(ranks.begin(), ranks.end(), [&](const auto& a, const auto& b) {
            return waited(a) < waited(b);
        });
    const auto in_flight = worst->at("in_flight").get<double>();
    if (in_flight == 0.0) {
        log::info("exchange: none between the ranks of a video");
        return;
    }
    log::info(
        "exchange: {} in flight, of which {} were waited for ({:.0f} % hidden behind compute) on "
        "rank {}, which waited longest",
        format_seconds(in_flight / 1e9),
        format_seconds(waited(*worst) / 1e9),
        100.0 * (1.0 - waited(*worst) / in_flight),
        worst - ranks.begin());
}

}  // namespace

RunTrace::RunTrace(const mpi::Communicator& world, std::filesystem::path path)
    : world_(world)
    , path_(std::move(path)) {
    if (path_.empty()) {
        return;
    }
    mpi::together(world_, [this] { require_writable(); });
    clock_offset_ = mpi::clock_offset(
        world_, mpi::NodeLayout(world_, 0), [] { return monotonic_nanoseconds(); });
    recorder_.emplace();
}

/// Now rather than at the end, so that what cannot be written is known before anything is done.
void RunTrace::require_writable() const {
    if (world_.rank() != root) {
        return;
    }
    require(!std::filesystem::is_directory(path_),
            ErrorKind::usage,
            "log.trace is '{}', which is a folder (expected the name of a file)",
            path_.string());
    in_context(
        [this] {
            if (path_.has_parent_path()) {
                make_folders(path_.parent_path());
            }
            const TraceFile unfinished(path_);
        },
        "opening the trace (log.trace)");
}

void RunTrace::finish() {
    if (!recorder_) {
        return;
    }
    const auto texts = world_.gather_texts(figures_of(*recorder_), root);
    std::vector<nlohmann::json> ranks;
    std::int64_t dropped = 0;
    for (const std::string& text : texts) {
        ranks.push_back(nlohmann::json::parse(text));
        dropped += ranks.back().at("dropped").get<std::int64_t>();
    }
    // Time counts from the first rank's start, on the clock of rank 0.
    const std::int64_t zero = -world_.max(-(recorder_->start() - clock_offset_));
    gather(
        trace::to_text(*recorder_,
                       {.rank = world_.rank(), .host = host_name(), .zero = zero + clock_offset_}),
        dropped);
    if (world_.rank() == root) {
        log_exchange(ranks);
    }
}

/// The events go rank by rank, so that rank 0 holds those of one other rank at most.
void RunTrace::gather(const std::string& own_events, std::int64_t dropped) const {
    const mpi::Communicator ranks = world_.duplicate();
    std::optional<Error> failure;
    const auto attempt = [&](const std::function<void()>& body) {
        try {
            if (!failure) {
                body();
            }
        } catch (const Error& error) {
            failure = error;  // the others still want to get rid of their events
        }
    };
    if (ranks.rank() == root) {
        std::optional<TraceFile> file;
        attempt([&] {
            file.emplace(path_);
            file->write(own_events);
        });
        for (int rank = 1; rank < ranks.size(); ++rank) {
            const std::string events = ranks.receive_text(rank, events_tag);
            attempt([&] { file->write(trace::separator + events); });
        }
        attempt([&] { file->finish(dropped); });
    } else {
        ranks.send_text(own_events, root, events_tag);
    }
    mpi::agree(ranks, failure);
    if (dropped > 0) {
        log::warning("trace: {} events had no room (a rank keeps {})",
                     dropped,
                     trace::Recorder::usual_events);
    }
    log::info("trace: {}", path_.string());
}

}  // namespace reelyard::cli
