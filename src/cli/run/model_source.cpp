#include "model_source.hpp"

#include <filesystem>
#include <string>
#include <utility>

#include "reelyard/base/bytes.hpp"
#include "reelyard/base/clock.hpp"
#include "reelyard/base/log.hpp"
#include "reelyard/mpi/agreement.hpp"
#include "reelyard/store/staged_store.hpp"

namespace reelyard::cli {
namespace {

store::StoreFile open_nearest(const std::filesystem::path& path,
                              const mpi::Communicator& world,
                              const std::string& staged) {
    store::StoreFile file = store::StoreFile::open(path, world);
    if (staged == "off") {
        return file;
    }
    const bool is_default = staged == "auto";
    const auto copy = store::find_staged(
        file, is_default ? store::default_stage_folder() : std::filesystem::path(staged), world);
    if (copy.path) {
        log::info("weights come from the copy that is {}", copy.reason);
        return store::StoreFile::open(*copy.path, world);
    }
    if (!is_default) {
        log::warning("{}; weights come from {}", copy.reason, path.string());
    }
    return file;
}

}  // namespace

ModelSource::ModelSource(const std::filesystem::path& store,
                         const mpi::Communicator& world,
                         Use use)
    : world_(world)
    , file_(open_nearest(store, world, use.load.staged))
    , family_(models::family_of(file_.config()))
    , spec_(family_.describe(file_.config()))
    , use_(std::move(use)) {}

store::WeightSet ModelSource::load(const std::string& component, Part part, Shard slice) {
    const Stopwatch watch;
    store::LoadOptions options{.compute = use_.dtype,
                               .device = use_.device,
                               .tensor_parallel = slice,
                               .verify = use_.load.verify,
                               .transport = use_.load.transport};
    if (part == Part::decoding) {
        options.wanted = family_.needed_for_decoding;
    }
    auto loaded = store::load_component(file_, spec_.component(component), world_, options);
    if (totals_.small_pages_reason.empty() && !loaded.report.small_pages_reason.empty()) {
        log::info("weights are in small pages, which slows down loading: {}",
                  loaded.report.small_pages_reason);
    }
    add(totals_, loaded.report);
    log::info("{}: {} loaded in {} ({}: {})",
              component,
              format_bytes(loaded.report.bytes_used),
              format_seconds(watch.seconds()),
              loaded.report.transport,
              loaded.report.transport_reason);
    if (!loaded.report.private_reason.empty()) {
        log::warning("{}: each rank of a node has a copy of its own: {}",
                     component,
                     loaded.report.private_reason);
    }
    return std::move(loaded.weights);
}

}  // namespace reelyard::cli
