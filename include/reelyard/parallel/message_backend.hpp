#pragma once

#include <memory>
#include <vector>

#include <ATen/core/Tensor.h>

namespace reelyard::parallel {

/// What goes to, or comes from, another rank of a group.
struct Message {
    int peer = 0;
    at::Tensor data;  ///< contiguous
};

/// Messages under way. They keep the tensors that they use.
class Transfer {
public:
    Transfer() = default;
    Transfer(const Transfer&) = delete;
    Transfer& operator=(const Transfer&) = delete;
    virtual ~Transfer() = default;

    /// Moves the messages on without waiting. \returns whether all are through
    /// \throws Error (communication)
    [[nodiscard]] virtual bool test() = 0;
    /// The ranks whose messages are not through, ascending.
    [[nodiscard]] virtual std::vector<int> missing() = 0;
};

/// How tensors get from rank to rank of one group; everything that TensorComm offers is made of
/// this.
class MessageBackend {
public:
    MessageBackend() = default;
    MessageBackend(const MessageBackend&) = delete;
    MessageBackend& operator=(const MessageBackend&) = delete;
    virtual ~MessageBackend() = default;

    [[nodiscard]] virtual int rank() const = 0;
    [[nodiscard]] virtual int size() const = 0;
    /// Whether messages find each other by their order alone, not by their tags: then all ranks
    /// have to start them in one order, whatever they wait for first.
    [[nodiscard]] virtual bool is_ordered() const = 0;

    /// Starts to send and to receive. What one rank sends with a tag the other receives with it, as
    /// many bytes, in the same order. \param sent unchanged until all is through
    /// \param received to be read when all is through \param tag 0 .. 32767
    [[nodiscard]] virtual std::unique_ptr<Transfer> start(const std::vector<Message>& sent,
                                                          const std::vector<Message>& received,
                                                          int tag) = 0;
};

}  // namespace reelyard::parallel
