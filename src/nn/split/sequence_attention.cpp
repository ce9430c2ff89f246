#include "reelyard/nn/split/sequence_attention.hpp"

#include <utility>

#include <ATen/ATen.h>

#include "reelyard/nn/attention.hpp"
#include "reelyard/trace/span.hpp"

namespace reelyard::nn {

std::int64_t SequenceAttention::tokens_of(std::int64_t tokens, int ring, int ulysses) const {
    const Interval part = shard_of(
        tokens,
        1,
        {.degree = ring_.size() * ulysses_.size(), .index = ring * ulysses_.size() + ulysses});
    return part.end - part.begin;
}

std::int64_t SequenceAttention::group_tokens(std::int64_t tokens, int ring) const {
    const Interval part = shard_of(tokens, 1, {.degree = ring_.size(), .index = ring});
    return part.end - part.begin;
}

Interval SequenceAttention::heads_of(std::int64_t heads, int ulysses) const {
    return shard_of(heads, 1, {.degree = ulysses_.size(), .index = ulysses});
}

void SequenceAttention::operator()(const at::Tensor& q,
                                   const at::Tensor& k,
                                   const at::Tensor& v,
                                   std::int64_t tokens,
                                   at::Tensor& out) const {
    if (ulysses_.size() == 1) {
        attend({.q = q, .k = k, .v = v}, tokens, out);
        return;
    }
    const Heads heads = trade_for_heads(q, k, v, tokens);
    at::Tensor attended = at::empty(heads.q.sizes(), out.options());
    attend(heads, tokens, attended);
    trade_back(attended, tokens, out);
}

/// One exchange for all three.
SequenceAttention::Heads SequenceAttention::trade_for_heads(const at::Tensor& q,
                                                            const at::Tensor& k,
                                                            const at::Tensor& v,
                                                            std::int64_t tokens) const {
    const Interval own = heads_of(q.size(2), ulysses_.rank());
    const std::int64_t count = own.end - own.begin;
    parallel::TensorComm::Tensors sent;
    parallel::TensorComm::Tensors received;
    for (int peer = 0; peer < ulysses_.size(); ++peer) {
        const Interval theirs = heads_of(q.size(2), peer);
        const auto slice = [&](const at::Tensor& x) {
            return x.narrow(2, theirs.begin, theirs.end - theirs.begin);
        };
        sent.push_back(at::stack({slice(q), slice(k), slice(v)}));
        received.push_back(at::empty(
            {3, q.size(0), tokens_of(tokens, ring_.rank(), peer), count, q.size(3)}, q.options()));
    }
    ulysses_.all_to_all(sent, received);
    const at::Tensor all = at::cat(received, 2);
    return {.q = all[0], .k = all[1], .v = all[2]};
}

void SequenceAttention::trade_back(const at::Tensor& attended,
                                   std::int64_t tokens,
                                   at::Tensor& out) const {
    const std::int64_t batch = attended.size(0);
    const std::int64_t width = attended.size(3);
    const std::int64_t heads = out.size(2) / width;
    parallel::TensorComm::Tensors sent;
    parallel::TensorComm::Tensors received;
    std::int64_t first = 0;
    for (int peer = 0; peer < ulysses_.size(); ++peer) {
        const std::int64_t theirs = tokens_of(tokens, ring_.rank(), peer);
        const Interval their_heads = heads_of(heads, peer);
        sent.push_back(attended.narrow(1, first, theirs).contiguous());
        received.push_back(at::empty(
            {batch, out.size(1), their_heads.end - their_heads.begin, width}, attended.options()));
        first += theirs;
    }
    ulysses_.all_to_all(sent, received);
    at::Tensor target = out.view({batch, out.size(1), heads, width});
    at::cat_out(target, received, 2);
}

void SequenceAttention::attend(const Heads& heads, std::int64_t tokens, at::Tensor& out) const {
    if (ring_.size() == 1) {
        const trace::Span span(ring_.recorder(), "attention");
        attention(heads.q, heads.k, heads.v, {}, out);
        return;
    }
    const at::TensorOptions numbers = heads.q.options().dtype(at::kFloat);
    const std::vector<std::int64_t> rows{heads.q.size(0), heads.q.size(2), heads.q.size(1)};
    at::Tensor sum = at::empty(heads.q.flatten(2).sizes(), numbers);
    at::Tensor log_sum = at::empty(rows, numbers);
    at::Tensor part = at::empty_like(sum);
    at::Tensor part_log_sum = at::empty_like(log_sum);
    at::Tensor present = at::stack({heads.k, heads.v});
    for (int step = 0; step < ring_.size(); ++step) {
        const bool is_last = step + 1 == ring_.size();
        const int next_holder = (ring_.rank() + 2 * ring_.size() - step - 1) % ring_.size();
        std::vector<std::int64_t> shape = present.sizes().vec();
        shape[2] = is_last ? 0 : group_tokens(tokens, next_holder);
        const at::Tensor next = at::empty(shape, present.options());
        // The next keys and values travel while attention to the present ones is computed.
        parallel::Pending travelling =
            is_last ? parallel::Pending() : ring_.start_rotate(present, next);
        {
            const trace::Span span(ring_.recorder(), "attention to part", step);
            partial_attention(heads.q,
                              present[0],
                              present[1],
                              step == 0 ? sum : part,
                              step == 0 ? log_sum : part_log_sum,
                              [&] { (void)travelling.test(); });
            if (step > 0) {
                merge_attention(sum, log_sum, part, part_log_sum);
            }
        }
        travelling.wait();
        present = next;
    }
    out.copy_(sum.view(out.sizes()));
}

}  // namespace reelyard::nn
