#include "reelyard/parallel/mpi_backend.hpp"

#include <cstddef>
#include <span>
#include <utility>

#include <ATen/ATen.h>

#include "reelyard/device/device.hpp"
#include "reelyard/mpi/cuda_support.hpp"
#include "reelyard/mpi/requests.hpp"

#include "staging.hpp"

namespace reelyard::parallel {
namespace {

std::span<std::byte> memory_of(const at::Tensor& tensor) {
    return {static_cast<std::byte*>(tensor.mutable_data_ptr()), tensor.nbytes()};
}

/// What the transfers of a group have in common.
struct Route {
    mpi::Communicator group;
    bool takes_device_memory = mpi::is_cuda_aware();
    Staging staging = {};

    /// Whether a tensor is given to MPI as it is.
    [[nodiscard]] bool is_direct(const at::Tensor& tensor) const {
        return tensor.is_cpu() || takes_device_memory;
    }
};

/// Messages and the memory that they use.
struct Messages {
    struct Landing {
        std::unique_ptr<Staging::Block> block;
        at::Tensor place;
    };

    explicit Messages(const mpi::Communicator& group) : requests(group) {}

    std::vector<at::Tensor> direct;
    std::vector<std::unique_ptr<Staging::Block>> leaving;
    std::vector<Landing> landings;
    mpi::Requests requests;  // last: gone before the memory
};

class MpiTransfer final : public Transfer {
public:
    MpiTransfer(Route& route,
                const std::vector<Message>& sent,
                const std::vector<Message>& received,
                int tag)
        : route_(&route)
        , messages_(std::make_unique<Messages>(route.group)) {
        if (route.takes_device_memory) {
            await_device(sent);
            await_device(received);
        }
        for (const Message& message : received) {
            receive(message, tag);
        }
        for (const Message& message : sent) {
            send(message, tag);
        }
    }
    MpiTransfer(const MpiTransfer&) = delete;
    MpiTransfer& operator=(const MpiTransfer&) = delete;
    ~MpiTransfer() override {
        // A message to a rank that does not answer cannot be taken back, and waiting for it would
        // never end. It is left as it is, with its memory: only a job that is about to end gets
        // here.
        (void)messages_.release();
    }

    bool test() override {
        if (messages_ == nullptr) {
            return true;
        }
        if (!messages_->requests.test()) {
            return false;
        }
        for (Messages::Landing& landing : messages_->landings) {
            landing.place.copy_(landing.block->as(landing.place));
            route_->staging.give_back(std::move(landing.block));
        }
        for (auto& block : messages_->leaving) {
            route_->staging.give_back(std::move(block));
        }
        messages_.reset();
        return true;
    }

    [[nodiscard]] std::vector<int> missing() override {
        return messages_ == nullptr ? std::vector<int>{} : messages_->requests.unfinished();
    }

private:
    /// MPI knows nothing of the work that a GPU still has to do on a tensor.
    static void await_device(const std::vector<Message>& messages) {
        if (!messages.empty()) {
            device::synchronize(messages.front().data.device());
        }
    }

    void receive(const Message& message, int tag) {
        at::Tensor memory = message.data;
        if (route_->is_direct(message.data)) {
            messages_->direct.push_back(memory);
        } else {
            auto block = route_->staging.take(message.data);
            memory = block->as(message.data);
            messages_->landings.push_back({.block = std::move(block), .place = message.data});
        }
        messages_->requests.receive(memory_of(memory), message.peer, tag);
    }

    void send(const Message& message, int tag) {
        at::Tensor memory = message.data;
        if (route_->is_direct(message.data)) {
            messages_->direct.push_back(memory);
        } else {
            auto block = route_->staging.take(message.data);
            memory = block->as(message.data);
            memory.copy_(message.data);
            messages_->leaving.push_back(std::move(block));
        }
        messages_->requests.send(memory_of(memory), message.peer, tag);
    }

    Route* route_;
    std::unique_ptr<Messages> messages_;  ///< none: all is through
};

class MpiBackend final : public MessageBackend {
public:
    explicit MpiBackend(mpi::Communicator group) : route_{.group = std::move(group)} {}

    [[nodiscard]] int rank() const override { return route_.group.rank(); }
    [[nodiscard]] int size() const override { return route_.group.size(); }
    [[nodiscard]] bool is_ordered() const override { return false; }

    [[nodiscard]] std::unique_ptr<Transfer> start(const std::vector<Message>& sent,
                                                  const std::vector<Message>& received,
                                                  int tag) override {
        return std::make_unique<MpiTransfer>(route_, sent, received, tag);
    }

private:
    Route route_;
};

}  // namespace

std::unique_ptr<MessageBackend> make_mpi_backend(mpi::Communicator group) {
    return std::make_unique<MpiBackend>(std::move(group));
}

}  // namespace reelyard::parallel
