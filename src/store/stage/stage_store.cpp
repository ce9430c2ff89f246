#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include <sys/stat.h>

#include "reelyard/base/bytes.hpp"
#include "reelyard/base/clock.hpp"
#include "reelyard/base/error.hpp"
#include "reelyard/mpi/agreement.hpp"
#include "reelyard/mpi/node_layout.hpp"
#include "reelyard/store/staged_store.hpp"

#include "host_name.hpp"
#include "stage/part_file.hpp"
#include "stage/piece_exchange.hpp"
#include "stage/room.hpp"
#include "stage/stage_plan.hpp"
#include "stage/staged_copy.hpp"

namespace reelyard::store {
namespace {

/// A store on its way to the nodes that lack it.
class Staging {
public:
    /// Collective over `ranks`: those of the nodes that lack it, which lie on them as `layout`
    /// says.
    Staging(const StoreFile& file,
            std::int64_t file_bytes,
            std::filesystem::path target,
            const mpi::Communicator& ranks,
            const mpi::NodeLayout& layout)
        : file_(file)
        , file_bytes_(file_bytes)
        , target_(std::move(target))
        , ranks_(ranks)
        , layout_(layout) {
        mpi::together(ranks_, [&] {
            if (is_first_of_node()) {
                make_part();
            }
        });
        const std::string part =
            layout_.node().broadcast_text(part_ ? part_->path().string() : "", 0);
        mpi::together(ranks_, [&] {
            exchange_ =
                std::make_unique<PieceExchange>(plan(), ranks_, layout_, file_.path(), part);
        });
    }

    void copy(const StageProgress& progress) {
        const StagePlan cut = plan();
        for (std::int64_t end = 0; end < cut.steps();) {
            end += cut.steps_per_round();
            mpi::agree(ranks_, exchange_->run_until(end));
            progress(ranks_.sum(exchange_->bytes_written()) / layout_.nodes(), file_bytes_);
        }
    }

    /// The copy of this node gets its name once it is whole on the disk, and is a copy.
    void publish() {
        const mpi::Communicator alone = ranks_.split(ranks_.rank(), 0);
        mpi::together(ranks_, [&] {
            if (!is_first_of_node()) {
                return;
            }
            const std::string flaw = flaw_of_copy(part_->path(), file_, file_bytes_, alone);
            require(flaw.empty(),
                    ErrorKind::storage,
                    "{}: {}; was {} changed meanwhile?",
                    host_name(),
                    flaw,
                    file_.path().string());
            struct stat source {};
            const bool is_open =
                ::stat(file_.path().c_str(), &source) == 0 && (source.st_mode & S_IROTH) != 0;
            part_->publish(target_, is_open);
        });
    }

    [[nodiscard]] std::int64_t bytes_read() const { return exchange_->bytes_read(); }

private:
    [[nodiscard]] bool is_first_of_node() const { return layout_.node().rank() == 0; }

    [[nodiscard]] StagePlan plan() const {
        std::vector<int> ranks(static_cast<std::size_t>(layout_.nodes()));
        for (std::size_t node = 0; node < ranks.size(); ++node) {
            ranks[node] = static_cast<int>(layout_.ranks_of(static_cast<int>(node)).size());
        }
        return {file_bytes_, std::move(ranks)};
    }

    void make_part() {
        const std::filesystem::path folder = target_.parent_path();
        make_private_folder(folder);
        remove_leftover_parts(folder);
        if (free_bytes(folder) < file_bytes_) {
            std::error_code ignored;  // what is of no use any more may be all that is in the way
            std::filesystem::remove(target_, ignored);
        }
        const std::int64_t free = free_bytes(folder);
        require(free >= file_bytes_,
                ErrorKind::resources,
                "{}: {} has no room for a copy of {}: {} wanted, {} free",
                host_name(),
                folder.string(),
                file_.path().string(),
                format_bytes(file_bytes_),
                format_bytes(free));
        part_.emplace(folder, target_.filename().string(), file_bytes_);
    }

    const StoreFile& file_;
    std::int64_t file_bytes_;
    std::filesystem::path target_;
    const mpi::Communicator& ranks_;
    const mpi::NodeLayout& layout_;
    std::optional<PartFile> part_;  // of the first rank of a node
    std::unique_ptr<PieceExchange> exchange_;
};

}  // namespace

StageReport stage_store(const StoreFile& file,
                        const std::filesystem::path& folder,
                        const mpi::Communicator& world,
                        int ranks_per_node,
                        const StageProgress& progress) {
    const Stopwatch watch;
    const mpi::NodeLayout layout(world, ranks_per_node);
    StageReport report{.staged = staged_path(file, folder),
                       .file_bytes = file_bytes_of(file, world),
                       .nodes = layout.nodes()};
    const bool is_lacking =
        !flaw_on_node(report.staged, file, report.file_bytes, layout.node()).empty();
    report.was_there = world.max(is_lacking ? 1 : 0) == 0;
    if (!report.was_there) {
        // Nodes that have a copy stand aside; the others share the work.
        const mpi::Communicator ranks = world.split(is_lacking ? 0 : 1, world.rank());
        const auto on_nodes = mpi::NodeLayout::by_number(ranks, layout.own_node());
        mpi::together(world, [&] {
            if (is_lacking) {
                Staging staging(file, report.file_bytes, report.staged, ranks, on_nodes);
                staging.copy(progress);
                staging.publish();
                report.bytes_read = staging.bytes_read();
            }
        });
    }
    report.seconds = watch.seconds();
    return report;
}

}  // namespace reelyard::store
