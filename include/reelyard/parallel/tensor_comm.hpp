#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "reelyard/parallel/message_backend.hpp"
#include "reelyard/parallel/pending.hpp"
#include "reelyard/trace/recorder.hpp"

namespace reelyard::parallel {

/// Collective operations on tensors within one group of ranks.
///
/// All ranks of the group call the same operations in the same order; what was started may be
/// waited for in any order. Tensors are contiguous, of one type and on one device, of any number of
/// elements (none, or more than 2^31); parts of different ranks may differ in size. Sums are made
/// in the order of the ranks and in float32 for half-precision types, so that they are the same on
/// all ranks and each time.
class TensorComm {
public:
    /// What this rank has received, by operation.
    struct Volume {
        std::int64_t calls = 0;
        std::int64_t bytes = 0;
    };
    using Tensors = std::vector<at::Tensor>;

    /// \param name of the group, for messages \param backend none: this rank alone
    /// \param timeout seconds that one operation may take \param members what the ranks of the
    /// group are called in messages; empty: by their numbers in the group
    /// \param recorder of what is exchanged, and of what users of the group compute; outlives this;
    /// none: nothing is recorded
    TensorComm(std::string name,
               std::unique_ptr<MessageBackend> backend,
               double timeout,
               std::vector<int> members = {},
               trace::Recorder* recorder = nullptr);
    TensorComm(const TensorComm&) = delete;
    TensorComm& operator=(const TensorComm&) = delete;
    ~TensorComm() = default;

    [[nodiscard]] int rank() const { return backend_ ? backend_->rank() : 0; }
    [[nodiscard]] int size() const { return backend_ ? backend_->size() : 1; }
    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] const std::map<std::string, Volume>& volumes() const { return volumes_; }
    /// None: nothing is recorded.
    [[nodiscard]] trace::Recorder* recorder() const { return recorder_; }

    /// Adds up what the ranks have, in place. \param data the same size on all ranks
    [[nodiscard]] Pending start_all_reduce(const at::Tensor& data);
    /// \param own what this rank gives \param parts [rank] what each rank gives; its own is
    /// written, too, unless it is the same memory
    [[nodiscard]] Pending start_all_gather(const at::Tensor& own, const Tensors& parts);
    /// \param parts [rank] what this rank adds to the sum of each \param own the sum of this rank
    [[nodiscard]] Pending start_reduce_scatter(const Tensors& parts, const at::Tensor& own);
    /// \param sent [rank] for each rank \param received [rank] from each rank
    [[nodiscard]] Pending start_all_to_all(const Tensors& sent, const Tensors& received);
    /// \param data of the root, on all ranks
    [[nodiscard]] Pending start_broadcast(const at::Tensor& data, int root);
    /// A step around the ring: to the next rank, and from the one before.
    [[nodiscard]] Pending start_rotate(const at::Tensor& sent, const at::Tensor& received);

    void all_reduce(const at::Tensor& data) { start_all_reduce(data).wait(); }
    void all_gather(const at::Tensor& own, const Tensors& parts) {
        start_all_gather(own, parts).wait();
    }
    void reduce_scatter(const Tensors& parts, const at::Tensor& own) {
        start_reduce_scatter(parts, own).wait();
    }
    void all_to_all(const Tensors& sent, const Tensors& received) {
        start_all_to_all(sent, received).wait();
    }
    void broadcast(const at::Tensor& data, int root) { start_broadcast(data, root).wait(); }
    void rotate(const at::Tensor& sent, const at::Tensor& received) {
        start_rotate(sent, received).wait();
    }
    /// Returns when all ranks have called it.
    void barrier();

private:
    struct Exchange {
        std::vector<Message> sent;
        std::vector<Message> received;

        [[nodiscard]] std::int64_t received_bytes() const;
    };

    /// What an operation keeps from its beginning to its end.
    struct Operation {
        std::string name;
        int tag;
    };

    [[nodiscard]] Operation begin(const std::string& name);
    /// \param later_bytes that this rank receives in the stages
    [[nodiscard]] Pending pending(const Operation& operation,
                                  const Exchange& first,
                                  std::vector<Pending::Next> stages = {},
                                  std::int64_t later_bytes = 0);
    [[nodiscard]] trace::ExchangeSpan span_of(const Operation& operation, std::int64_t bytes) const;
    /// \param stage 0 or 1, of the operation
    [[nodiscard]] std::unique_ptr<Transfer> start(const Operation& operation,
                                                  const Exchange& exchange,
                                                  int stage);
    /// Every rank gives something to every other; what it gives to itself is copied at once.
    [[nodiscard]] Exchange with_all(const Tensors& sent, const Tensors& received) const;

    std::string name_;
    std::unique_ptr<MessageBackend> backend_;
    double timeout_;
    std::vector<int> members_;
    trace::Recorder* recorder_;
    int next_tag_ = 0;
    StageOrder stage_order_;  ///< of use with an ordered backend only
    std::map<std::string, Volume> volumes_;
};

}  // namespace reelyard::parallel
