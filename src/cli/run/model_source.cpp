#include "model_source.hpp"

#include <filesystem>
#include <string>
#include <utility>

#include "reelyard/base/bytes.hpp"
#include "reelyard/base/clock.hpp"
#include "reelyard/base/log.hpp"
#include "reelyard/mpi/agreement.hpp"
#include "reelyard/store/staged_store.hpp"
#include "reelyard/trace/span.hpp"

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

store::LoadOptions ModelSource::options() const {
    return {.compute = use_.dtype,
            .device = use_.device,
            .verify = use_.load.verify,
            .transport = use_.load.transport};
}

store::WeightSet ModelSource::load(const std::string& component, Part part) {
    store::LoadOptions wish = options();
    if (part == Part::decoding) {
        wish.wanted = family_.needed_for_decoding;
    }
    return load_as(component, wish).weights;
}

store::LoadedWeights ModelSource::load_part(const std::string& component,
                                            Shard slice,
                                            Shard block_part) {
    store::LoadOptions wish = options();
    wish.tensor_parallel = slice;
    wish.weight_shard = block_part;
    return load_as(component, wish);
}

store::LoadedWeights ModelSource::load_as(const std::string& component,
                                          const store::LoadOptions& options) {
    const Stopwatch watch;
    const trace::Span span(use_.recorder, "load", component);
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
    return loaded;
}

}  // namespace reelyard::cli
