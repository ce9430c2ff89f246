#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

#include "reelyard/parallel/tensor_comm.hpp"
#include "reelyard/spec/shard.hpp"

namespace reelyard::nn {

/// Self attention over a sequence whose tokens are spread over ranks, equal to attention on one.
///
/// Ulysses (Jacobs et al. 2023, arXiv:2309.14509): the ranks of a group trade tokens for heads, so
/// that each has all tokens of the group for some heads, and back. Ring (Liu et al. 2023,
/// arXiv:2310.01889): keys and values travel from group to group, and what each gives is merged.
/// Tokens and heads need not divide by the ranks: parts differ by one, nothing is padded.
class SequenceAttention {
public:
    /// \param ulysses, ring outlive this object; rank u of group r holds part r * U + u of the
    /// tokens, as shard_of() cuts them
    SequenceAttention(parallel::TensorComm& ulysses, parallel::TensorComm& ring)
        : ulysses_(ulysses)
        , ring_(ring) {}

    /// Collective over both groups. \param q, k, v [B, l, N, K], this rank's tokens, contiguous
    /// \param tokens of the whole sequence \param out [B, l, N K], contiguous; written
    void operator()(const at::Tensor& q,
                    const at::Tensor& k,
                    const at::Tensor& v,
                    std::int64_t tokens,
                    at::Tensor& out) const;

private:
    /// Queries, keys and values of some heads.
    struct Heads {
        at::Tensor q, k, v;  ///< [B, tokens of the Ulysses group, n, K]
    };

    /// Of the tokens of ring member `ring`, those that rank `ulysses` of it holds.
    [[nodiscard]] std::int64_t tokens_of(std::int64_t tokens, int ring, int ulysses) const;
    /// All tokens of a ring member.
    [[nodiscard]] std::int64_t group_tokens(std::int64_t tokens, int ring) const;
    [[nodiscard]] Interval heads_of(std::int64_t heads, int ulysses) const;
    [[nodiscard]] Heads trade_for_heads(const at::Tensor& q,
                                        const at::Tensor& k,
                                        const at::Tensor& v,
                                        std::int64_t tokens) const;
    void trade_back(const at::Tensor& attended, std::int64_t tokens, at::Tensor& out) const;
    void attend(const Heads& heads, std::int64_t tokens, at::Tensor& out) const;

    parallel::TensorComm& ulysses_;
    parallel::TensorComm& ring_;
};

}  // namespace reelyard::nn
