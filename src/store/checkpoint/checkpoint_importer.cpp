#include "reelyard/store/checkpoint/checkpoint_importer.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "reelyard/base/atomic_file.hpp"
#include "reelyard/base/bytes.hpp"
#include "reelyard/base/clock.hpp"
#include "reelyard/base/error.hpp"
#include "reelyard/mpi/agreement.hpp"

#include "checkpoint/import_plan.hpp"
#include "checkpoint/share_writer.hpp"
#include "file/store_writer.hpp"

namespace reelyard::store {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// How much a rank writes before all agree that nobody failed and progress is shown.
constexpr std::int64_t round_bytes = 256 * mebibyte;

/// The share in runs of about round_bytes.
std::vector<Share> make_rounds(const ImportPlan& plan, const Share& share) {
    std::vector<Share> rounds;
    std::int64_t bytes = round_bytes;
    for (std::size_t i = share.begin; i < share.end; ++i) {
        if (bytes >= round_bytes) {
            rounds.push_back({.begin = i, .end = i});
            bytes = 0;
        }
        bytes += plan.tensors[i].source.bytes;
        rounds.back().end = i + 1;
    }
    return rounds;
}

std::int64_t source_bytes(const ImportPlan& plan) {
    std::int64_t bytes = 0;
    for (const PlannedTensor& tensor : plan.tensors) {
        bytes += tensor.source.bytes;
    }
    return bytes;
}

/// Writes all slabs, in rounds after which a failure of any rank ends the work of all.
std::vector<std::string> write_slabs(const ImportPlan& plan,
                                     ShareWriter& writer,
                                     const Share& share,
                                     const mpi::Communicator& world,
                                     const ImportProgress& progress) {
    const std::vector<Share> rounds = make_rounds(plan, share);
    const auto most_rounds = world.max(static_cast<std::int64_t>(rounds.size()));
    const std::int64_t total = source_bytes(plan);
    for (std::int64_t round = 0; round < most_rounds; ++round) {
        const bool is_done = round >= static_cast<std::int64_t>(rounds.size());
        const Share part = is_done ? Share{} : rounds[static_cast<std::size_t>(round)];
        mpi::together(world, [&] {
            for (std::size_t i = part.begin; i < part.end; ++i) {
                writer.write(plan.tensors[i]);
            }
        });
        progress(world.sum(writer.bytes_done()), total);
    }
    mpi::together(world, [&] { writer.finish(); });
    return world.gather_texts(writer.results(), 0);
}

/// Puts the checksums that the ranks found into the index.
void add_checksums(StoreIndex& index, const std::vector<std::string>& results) {
    for (const std::string& text : results) {
        const json result = json::parse(text);
        for (const json& entry : result["tensors"]) {
            auto& component = index.components[entry[0].get<std::size_t>()];
            StoredTensor& tensor = component.tensors[entry[1].get<std::size_t>()];
            tensor.checksum = entry[2].get<std::uint64_t>();
            tensor.crc32 = entry[3].get<std::uint32_t>();
        }
        for (const json& entry : result["sources"]) {
            index.sources[entry[0].get<std::size_t>()].checksum = entry[1].get<std::uint64_t>();
        }
    }
}

std::int64_t stored_tensors(const StoreIndex& index) {
    std::int64_t count = 0;
    for (const StoredComponent& component : index.components) {
        count += static_cast<std::int64_t>(component.tensors.size());
    }
    return count;
}

}  // namespace

ImportReport import_checkpoint(const ImportRequest& request,
                               const CheckpointConfig& config,
                               const ModelSpec& model,
                               const mpi::Communicator& world,
                               const ImportProgress& progress) {
    const Stopwatch watch;
    ImportPlan plan;
    mpi::together(world, [&] { plan = plan_import(request, config, model); });

    // Only the root's file is removed when an error leaves this function.
    const fs::path path = partial_path(request.output);
    std::optional<TemporaryFile> temporary;
    StorePlaces places;
    const std::string slabs = mpi::on_root(world, [&] {
        expect_writable(request.output, plan.index);
        temporary.emplace(path);
        places = create_store(path, plan.index);
        return json(places.slabs).dump();
    });

    const Share share =
        share_out(plan.tensors, world.size())[static_cast<std::size_t>(world.rank())];
    std::optional<ShareWriter> writer;
    mpi::together(world, [&] { writer.emplace(plan, share, path, json::parse(slabs)); });
    const auto results = write_slabs(plan, *writer, share, world, progress);
    const std::string bytes = mpi::on_root(world, [&] {
        add_checksums(plan.index, results);
        finish_store(path, places, plan.index, config);
        temporary->commit(request.output);
        return std::to_string(fs::file_size(request.output));
    });
    return {.tensors = stored_tensors(plan.index),
            .bytes_read = world.sum(writer->bytes_read()),
            .bytes_written = std::stoll(bytes),
            .seconds = watch.seconds()};
}

}  // namespace reelyard::store
