#include <utility>

#include <ATen/ATen.h>

#include "load/landing.hpp"
#include "memory/host_buffer.hpp"

namespace reelyard::store {
namespace {

class HostLanding final : public Landing {
public:
    HostLanding(HostBuffer buffer, const mpi::NodeLayout& nodes)
        : buffer_(std::make_shared<HostBuffer>(std::move(buffer)))
        , nodes_(nodes) {}

    std::span<std::byte> place(const Piece& piece) override {
        return buffer_->part(piece.begin, piece.end - piece.begin);
    }

    void landed(std::int64_t /*round*/) override {}

    at::Tensor finish() override {
        nodes_.node()
            .patient_barrier();  // what the other ranks of the node have put there is there
        return at::from_blob(
            buffer_->data(),
            {buffer_->size()},
            [buffer = buffer_](void* /*memory*/) {},
            at::TensorOptions(at::kByte));
    }

    [[nodiscard]] const std::string& small_pages_reason() const override {
        return buffer_->small_pages_reason();
    }

private:
    std::shared_ptr<HostBuffer> buffer_;  // shared with the tensor that finish() gives
    const mpi::NodeLayout& nodes_;
};

}  // namespace

std::unique_ptr<Landing> make_host_landing(std::int64_t bytes, const mpi::NodeLayout& nodes) {
    return std::make_unique<HostLanding>(
        nodes.node().size() > 1 ? HostBuffer::shared(bytes, nodes.node()) : HostBuffer(bytes),
        nodes);
}

}  // namespace reelyard::store
