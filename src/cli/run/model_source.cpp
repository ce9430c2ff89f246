#include "model_source.hpp"

#include <filesystem>

#include "reelyard/base/bytes.hpp"
#include "reelyard/base/clock.hpp"
#include "reelyard/base/log.hpp"
#include "reelyard/mpi/agreement.hpp"

namespace reelyard::cli {
namespace {

void add(store::LoadReport& totals, const store::LoadReport& part) {
    totals.bytes_used += part.bytes_used;
    totals.bytes_read += part.bytes_read;
    totals.read_seconds += part.read_seconds;
    totals.exchange_seconds += part.exchange_seconds;
    totals.attach_seconds += part.attach_seconds;
}

}  // namespace

ModelSource::ModelSource(const std::filesystem::path& store,
                         const mpi::Communicator& world,
                         Use use)
    : world_(world)
    , file_(store::StoreFile::open(store, world))
    , family_(models::family_of(file_.config()))
    , spec_(family_.describe(file_.config()))
    , use_(use) {}

store::WeightSet ModelSource::load(const std::string& component, Part part) {
    const Stopwatch watch;
    store::LoadOptions options{.compute = use_.dtype, .device = use_.device};
    if (part == Part::decoding) {
        options.wanted = family_.needed_for_decoding;
    }
    auto loaded = store::load_component(file_, spec_.component(component), world_, options);
    add(totals_, loaded.report);
    log::info("{}: {} loaded in {}",
              component,
              format_bytes(loaded.report.bytes_used),
              format_seconds(watch.seconds()));
    return std::move(loaded.weights);
}

}  // namespace reelyard::cli
