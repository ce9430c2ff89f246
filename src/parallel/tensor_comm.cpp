#include "reelyard/parallel/tensor_comm.hpp"

#include <utility>

#include <ATen/ATen.h>

#include "reelyard/base/error.hpp"
#include "reelyard/spec/shard.hpp"

namespace reelyard::parallel {
namespace {

// Every operation takes two, so that the stages of one never meet those of another.
constexpr int tags = 32768;

bool is_half(at::ScalarType type) {
    return type == at::kBFloat16 || type == at::kHalf;
}

/// Their sum in the order given, rounded once. \param out one of the addends, or of their size
void add_up(const std::vector<at::Tensor>& addends, const at::Tensor& out) {
    const at::ScalarType type = is_half(out.scalar_type()) ? at::kFloat : out.scalar_type();
    at::Tensor sum = addends.front().to(type, /*non_blocking=*/false, /*copy=*/true);
    for (std::size_t i = 1; i < addends.size(); ++i) {
        sum.add_(addends[i]);
    }
    out.copy_(sum);
}

void copy_unless_same(const at::Tensor& from, const at::Tensor& to) {
    if (from.const_data_ptr() != to.const_data_ptr()) {
        to.copy_(from);
    }
}

/// The shares of `data` that the ranks add up.
std::vector<at::Tensor> shares_of(const at::Tensor& data, int ranks) {
    const at::Tensor flat = data.view(-1);
    std::vector<at::Tensor> shares;
    for (int rank = 0; rank < ranks; ++rank) {
        const Interval share = shard_of(flat.numel(), 1, {.degree = ranks, .index = rank});
        shares.push_back(flat.narrow(0, share.begin, share.end - share.begin));
    }
    return shares;
}

}  // namespace

TensorComm::TensorComm(std::string name,
                       std::unique_ptr<MessageBackend> backend,
                       double timeout,
                       std::vector<int> members,
                       trace::Recorder* recorder)
    : name_(std::move(name))
    , backend_(std::move(backend))
    , timeout_(timeout)
    , members_(std::move(members))
    , recorder_(recorder) {}

std::int64_t TensorComm::Exchange::received_bytes() const {
    std::int64_t bytes = 0;
    for (const Message& message : received) {
        bytes += static_cast<std::int64_t>(message.data.nbytes());
    }
    return bytes;
}

/// Called after the first word of the group's name, "ulysses all-to-all".
trace::ExchangeSpan TensorComm::span_of(const Operation& operation, std::int64_t bytes) const {
    if (recorder_ == nullptr || size() == 1) {
        return {};
    }
    const std::string name = name_.substr(0, name_.find(' ')) + ' ' + operation.name;
    return {recorder_, name_, name, bytes};
}

TensorComm::Operation TensorComm::begin(const std::string& name) {
    stage_order_.close();
    ++volumes_[name].calls;
    const int tag = next_tag_;
    next_tag_ = (next_tag_ + 2) % tags;
    return {.name = name, .tag = tag};
}

std::unique_ptr<Transfer> TensorComm::start(const Operation& operation,
                                            const Exchange& exchange,
                                            int stage) {
    if (exchange.sent.empty() && exchange.received.empty()) {
        return nullptr;
    }
    volumes_[operation.name].bytes += exchange.received_bytes();
    return backend_->start(exchange.sent, exchange.received, operation.tag + stage);
}

Pending TensorComm::pending(const Operation& operation,
                            const Exchange& first,
                            std::vector<Pending::Next> stages,
                            std::int64_t later_bytes) {
    trace::ExchangeSpan span = span_of(operation, first.received_bytes() + later_bytes);
    auto transfer =
        in_context([&] { return start(operation, first, 0); }, "{}: {}", name_, operation.name);
    return {{.group = name_,
             .operation = operation.name,
             .timeout = timeout_,
             .rank = rank(),
             .members = members_},
            std::move(transfer),
            std::move(stages),
            std::move(span)};
}

TensorComm::Exchange TensorComm::with_all(const Tensors& sent, const Tensors& received) const {
    REELYARD_EXPECT(static_cast<int>(sent.size()) == size());
    REELYARD_EXPECT(static_cast<int>(received.size()) == size());
    Exchange exchange;
    const auto own = static_cast<std::size_t>(rank());
    copy_unless_same(sent[own], received[own]);
    // Each begins with its neighbour, so that not all send to the same rank at first.
    for (int step = 1; step < size(); ++step) {
        const int peer = (rank() + step) % size();
        const auto at = static_cast<std::size_t>(peer);
        REELYARD_EXPECT(sent[at].is_contiguous() && received[at].is_contiguous());
        if (sent[at].numel() > 0) {
            exchange.sent.push_back({.peer = peer, .data = sent[at]});
        }
        if (received[at].numel() > 0) {
            exchange.received.push_back({.peer = peer, .data = received[at]});
        }
    }
    return exchange;
}

Pending TensorComm::start_all_reduce(const at::Tensor& data) {
    REELYARD_EXPECT(data.is_contiguous());
    const Operation operation = begin("all-reduce");
    const auto own = static_cast<std::size_t>(rank());
    const Tensors shares = shares_of(data, size());
    const Tensors own_share(shares.size(), shares[own]);
    Tensors addends;
    for (std::size_t i = 0; i < shares.size(); ++i) {
        addends.push_back(i == own ? shares[own] : at::empty_like(shares[own]));
    }
    const Exchange sums = with_all(own_share, shares);
    Pending result = pending(operation,
                             with_all(shares, addends),
                             {[this, operation, own_share, addends, sums] {
                                 add_up(addends, own_share.front());
                                 return start(operation, sums, 1);
                             }},
                             sums.received_bytes());
    if (backend_ != nullptr && backend_->is_ordered()) {
        stage_order_.open(result);
    }
    return result;
}

Pending TensorComm::start_all_gather(const at::Tensor& own, const Tensors& parts) {
    const Operation operation = begin("all-gather");
    return pending(operation, with_all(Tensors(parts.size(), own), parts));
}

Pending TensorComm::start_reduce_scatter(const Tensors& parts, const at::Tensor& own) {
    const Operation operation = begin("reduce-scatter");
    Tensors addends;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        addends.push_back(static_cast<int>(i) == rank() ? parts[i] : at::empty_like(own));
    }
    return pending(
        operation, with_all(parts, addends), {[addends, own]() -> std::unique_ptr<Transfer> {
            add_up(addends, own);
            return nullptr;
        }});
}

Pending TensorComm::start_all_to_all(const Tensors& sent, const Tensors& received) {
    const Operation operation = begin("all-to-all");
    return pending(operation, with_all(sent, received));
}

Pending TensorComm::start_broadcast(const at::Tensor& data, int root) {
    REELYARD_EXPECT(data.is_contiguous() && root >= 0 && root < size());
    const Operation operation = begin("broadcast");
    const at::Tensor none = data.view(-1).narrow(0, 0, 0);
    Tensors sent(static_cast<std::size_t>(size()), rank() == root ? data : none);
    Tensors received(sent.size(), none);
    received[static_cast<std::size_t>(root)] = data;
    sent[static_cast<std::size_t>(rank())] = received[static_cast<std::size_t>(rank())];
    return pending(operation, with_all(sent, received));
}

Pending TensorComm::start_rotate(const at::Tensor& sent, const at::Tensor& received) {
    REELYARD_EXPECT(sent.is_contiguous() && received.is_contiguous());
    const Operation operation = begin("rotate");
    if (size() == 1) {
        copy_unless_same(sent, received);
        return {};
    }
    Exchange exchange;
    if (sent.numel() > 0) {
        exchange.sent.push_back({.peer = (rank() + 1) % size(), .data = sent});
    }
    if (received.numel() > 0) {
        exchange.received.push_back({.peer = (rank() + size() - 1) % size(), .data = received});
    }
    return pending(operation, exchange);
}

void TensorComm::barrier() {
    const Operation operation = begin("barrier");
    const at::Tensor word = at::zeros({1}, at::kByte);
    Tensors words;
    for (int i = 0; i < size(); ++i) {
        words.push_back(at::empty_like(word));
    }
    pending(operation, with_all(Tensors(words.size(), word), words)).wait();
}

}  // namespace reelyard::parallel
