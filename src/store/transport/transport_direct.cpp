#include "transport/transport_direct.hpp"

#include <utility>

#include "reelyard/base/error.hpp"
#include "reelyard/mpi/agreement.hpp"
#include "reelyard/store/transport/direct_reader.hpp"

#include "host_name.hpp"

namespace reelyard::store {
namespace {

class DirectTransport final : public Transport {
public:
    DirectTransport(const StoreFile& file, const std::string& component)
        : slab_offset_(file.slab_offset(component))
        , reader_(file.path()) {}

    void start(ReadTask task) override {
        for (Extent& extent : task.extents) {
            extent.offset += slab_offset_;
        }
        reader_.start(std::move(task));
    }

    std::int64_t finish(const std::function<void()>& idle) override { return reader_.finish(idle); }

    [[nodiscard]] bool goes_on_after_failure() const override { return true; }

private:
    std::int64_t slab_offset_;
    DirectReader reader_;
};

}  // namespace

std::unique_ptr<Transport> make_direct_transport(const StoreFile& file,
                                                 const std::string& component,
                                                 const mpi::Communicator& world) {
    // Rank 0 has read the index: where others cannot open the file, it is their node that lacks it.
    const std::string host = host_name();
    const std::string first_host = world.broadcast_text(host, 0);
    std::unique_ptr<Transport> transport;
    mpi::together(world, [&] {
        try {
            transport = std::make_unique<DirectTransport>(file, component);
        } catch (Error& error) {
            if (host != first_host) {
                error.add_context(
                    fmt::format("on {}; {} can read it: is its folder mounted on all nodes?",
                                host,
                                first_host));
            }
            throw;
        }
    });
    return transport;
}

}  // namespace reelyard::store
