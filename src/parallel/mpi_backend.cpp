#include "reelyard/parallel/mpi_backend.hpp"

#include <cstddef>
#include <span>
#include <utility>

#include <ATen/ATen.h>

#include "reelyard/mpi/requests.hpp"

namespace reelyard::parallel {
namespace {

std::span<std::byte> memory_of(const at::Tensor& tensor) {
    return {static_cast<std::byte*>(tensor.mutable_data_ptr()), tensor.nbytes()};
}

/// Messages and the memory that they use.
struct Messages {
    struct Landing {
        at::Tensor host;
        at::Tensor place;
    };

    explicit Messages(const mpi::Communicator& group) : requests(group) {}

    std::vector<at::Tensor> leaving;
    std::vector<Landing> landings;
    mpi::Requests requests;  // last: gone before the memory
};

class MpiTransfer final : public Transfer {
public:
    MpiTransfer(const mpi::Communicator& group,
                const std::vector<Message>& sent,
                const std::vector<Message>& received,
                int tag)
        : messages_(std::make_unique<Messages>(group)) {
        for (const Message& message : received) {
            const at::Tensor host =
                message.data.is_cpu() ? message.data : at::empty_like(message.data, at::kCPU);
            messages_->landings.push_back({.host = host, .place = message.data});
            messages_->requests.receive(memory_of(host), message.peer, tag);
        }
        for (const Message& message : sent) {
            const at::Tensor host = message.data.cpu();
            messages_->leaving.push_back(host);
            messages_->requests.send(memory_of(host), message.peer, tag);
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
        for (const Messages::Landing& landing : messages_->landings) {
            if (!landing.place.is_cpu()) {
                landing.place.copy_(landing.host);
            }
        }
        messages_.reset();
        return true;
    }

    [[nodiscard]] std::vector<int> missing() override {
        return messages_ == nullptr ? std::vector<int>{} : messages_->requests.unfinished();
    }

private:
    std::unique_ptr<Messages> messages_;  ///< none: all is through
};

class MpiBackend final : public MessageBackend {
public:
    explicit MpiBackend(mpi::Communicator group) : group_(std::move(group)) {}

    [[nodiscard]] int rank() const override { return group_.rank(); }
    [[nodiscard]] int size() const override { return group_.size(); }

    [[nodiscard]] std::unique_ptr<Transfer> start(const std::vector<Message>& sent,
                                                  const std::vector<Message>& received,
                                                  int tag) override {
        return std::make_unique<MpiTransfer>(group_, sent, received, tag);
    }

private:
    mpi::Communicator group_;
};

}  // namespace

std::unique_ptr<MessageBackend> make_mpi_backend(mpi::Communicator group) {
    return std::make_unique<MpiBackend>(std::move(group));
}

}  // namespace reelyard::parallel
