#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>

#include "reelyard/nn/parallel.hpp"

#include "kernels/kernels.hpp"
#include "kernels/products/products.hpp"
#include "kernels/rows/row_kernels.hpp"

// Attention in blocks with an online softmax (Dao et al. 2022, arXiv:2205.14135).
namespace reelyard::nn::kernels::cpu {
namespace {

constexpr std::int64_t queries_per_task = 96;
constexpr std::int64_t keys_per_block = 512;
// Beside the last rows of 512 logits, so that rows do not lie a power of two apart.
constexpr std::int64_t row_padding = 32;
// Packed keys and values of as many heads as fit into this are held at once.
constexpr std::int64_t packed_bytes = std::int64_t{64} << 20U;
// Groups of heads, at least, where something is to be called between them.
constexpr std::int64_t calls_of_progress = 4;
constexpr float lowest = -3.0e38F;

std::int64_t round_up(std::int64_t size, std::int64_t multiple) {
    return (size + multiple - 1) / multiple * multiple;
}

/// Sizes of one call, in elements.
struct Sizes {
    Sizes(const AttentionCall& call, const Products& products)
        : batch(call.q.size(0))
        , queries(call.q.size(1))
        , heads(call.q.size(2))
        , width(call.q.size(3))
        , keys(call.k.size(1))
        , deep_width(round_up(width, products.depth_multiple))
        , deep_keys(round_up(keys, products.depth_multiple))
        , panel_keys(round_up(keys, products.panel_width))
        , panel_width(round_up(width, products.panel_width)) {}

    std::int64_t batch;
    std::int64_t queries;
    std::int64_t heads;
    std::int64_t width;
    std::int64_t keys;
    std::int64_t deep_width;   ///< of a head, as a depth
    std::int64_t deep_keys;    ///< keys, as a depth
    std::int64_t panel_keys;   ///< keys, as columns of panels
    std::int64_t panel_width;  ///< width of a head, as columns of panels

    [[nodiscard]] std::int64_t packed_keys() const { return panel_keys * deep_width; }
    [[nodiscard]] std::int64_t packed_head() const {
        return packed_keys() + panel_width * deep_keys;
    }
};

/// What one task needs: queries, logits, weights, sums and the state of the softmax.
struct Scratch {
    std::byte* queries;
    float* logits;
    std::byte* weights;  ///< the logits' own place where the products are float32
    float* sums;
    float* maximum;
    float* total;
};

class Attention {
public:
    explicit Attention(const AttentionCall& call)
        : call_(call)
        , products_(products_for(call.q.scalar_type() == at::kBFloat16))
        , is_bfloat16_(call.q.scalar_type() == at::kBFloat16)
        , element_(products_.is_bfloat16 ? 2 : 4)
        , sizes_(call, products_)
        , out_(call.out.view(call.q.sizes())) {}

    void run() {
        const std::int64_t all = sizes_.batch * sizes_.heads;
        const std::int64_t most =
            call_.progress ? (all + calls_of_progress - 1) / calls_of_progress : all;
        const std::int64_t at_once =
            std::clamp<std::int64_t>(packed_bytes / (sizes_.packed_head() * element_), 1, most);
        packed_ = at::empty({at_once * sizes_.packed_head() * element_}, at::kByte);
        for (std::int64_t first = 0; first < all; first += at_once) {
            run_heads(first, std::min(at_once, all - first));
            if (call_.progress) {
                call_.progress();
            }
        }
    }

private:
    void run_heads(std::int64_t first, std::int64_t count) {
        for_each_task(count, [&](std::int64_t i) { pack_head(first + i, packed_head(i)); });
        const std::int64_t blocks = (sizes_.queries + queries_per_task - 1) / queries_per_task;
        for_each_task(count * blocks, scratch_bytes(), [&](std::int64_t task, std::byte* memory) {
            attend(first + task / blocks,
                   packed_head(task / blocks),
                   task % blocks * queries_per_task,
                   scratch_of(memory));
        });
    }

    [[nodiscard]] std::byte* packed_head(std::int64_t i) const {
        return static_cast<std::byte*>(packed_.mutable_data_ptr()) +
               i * sizes_.packed_head() * element_;
    }

    /// The first element of a head of one sample; rows are row_stride() apart.
    [[nodiscard]] std::byte* head_of(const at::Tensor& x, std::int64_t head) const {
        const std::int64_t b = head / sizes_.heads;
        const std::int64_t n = head % sizes_.heads;
        return static_cast<std::byte*>(x.mutable_data_ptr()) +
               (b * x.stride(0) + n * sizes_.width) * x.element_size();
    }

    [[nodiscard]] std::int64_t row_stride() const { return sizes_.heads * sizes_.width; }

    void pack_head(std::int64_t head, std::byte* packed) const {
        const std::int64_t panel = products_.panel_width;
        const std::int64_t input = call_.k.element_size();
        const std::byte* k = head_of(call_.k, head);
        for (std::int64_t key = 0; key < sizes_.keys; key += panel) {
            products_.pack_panel({.source = k + key * row_stride() * input,
                                  .is_bfloat16 = is_bfloat16_,
                                  .depth_stride = 1,
                                  .column_stride = row_stride(),
                                  .depth = sizes_.width,
                                  .columns = std::min(panel, sizes_.keys - key),
                                  .panel = packed + key * sizes_.deep_width * element_});
        }
        const std::byte* v = head_of(call_.v, head);
        std::byte* packed_v = packed + sizes_.packed_keys() * element_;
        for (std::int64_t column = 0; column < sizes_.width; column += panel) {
            products_.pack_panel({.source = v + column * input,
                                  .is_bfloat16 = is_bfloat16_,
                                  .depth_stride = row_stride(),
                                  .column_stride = 1,
                                  .depth = sizes_.keys,
                                  .columns = std::min(panel, sizes_.width - column),
                                  .panel = packed_v + column * sizes_.deep_keys * element_});
        }
    }

    [[nodiscard]] std::int64_t queries_stride() const { return sizes_.deep_width + row_padding; }
    [[nodiscard]] static std::int64_t logits_stride() { return keys_per_block + row_padding; }

    [[nodiscard]] std::int64_t scratch_bytes() const {
        return queries_per_task * (queries_stride() * element_ + logits_stride() * (4 + 2) +
                                   sizes_.panel_width * 4 + 2 * 4);
    }

    [[nodiscard]] Scratch scratch_of(std::byte* memory) const {
        const auto take = [&](std::int64_t bytes) {
            std::byte* const taken = memory;
            memory += queries_per_task * bytes;
            return taken;
        };
        Scratch scratch{};
        scratch.queries = take(queries_stride() * element_);
        scratch.logits = reinterpret_cast<float*>(take(logits_stride() * 4));
        scratch.weights = take(logits_stride() * 2);
        scratch.weights =
            products_.is_bfloat16 ? scratch.weights : reinterpret_cast<std::byte*>(scratch.logits);
        scratch.sums = reinterpret_cast<float*>(take(sizes_.panel_width * 4));
        scratch.maximum = reinterpret_cast<float*>(take(4));
        scratch.total = reinterpret_cast<float*>(take(4));
        return scratch;
    }

    /// Queries [first, first + queries_per_task) of one head against all keys.
    void attend(std::int64_t head,
                const std::byte* packed,
                std::int64_t first,
                const Scratch& scratch) const {
        const std::int64_t rows = std::min(queries_per_task, sizes_.queries - first);
        products_.pack_rows(
            {.source = head_of(call_.q, head) + first * row_stride() * call_.q.element_size(),
             .is_bfloat16 = is_bfloat16_,
             .row_stride = row_stride(),
             .rows = rows,
             .depth = sizes_.width,
             .packed = scratch.queries,
             .packed_stride = queries_stride()});
        std::fill_n(scratch.maximum, rows, lowest);
        std::fill_n(scratch.total, rows, 0.0F);
        products_.begin();
        for (std::int64_t key = 0; key < sizes_.keys; key += keys_per_block) {
            const std::int64_t keys = std::min(keys_per_block, sizes_.keys - key);
            find_logits(packed, key, keys, {rows, scratch});
            weigh(head, key, keys, {rows, scratch});
            add_values(packed, key, keys, {rows, scratch});
        }
        products_.end();
        std::byte* const out_head = head_of(out_, head);
        for (std::int64_t r = 0; r < rows; ++r) {
            std::byte* out = out_head + (first + r) * row_stride() * call_.out.element_size();
            row_kernels().convert(scratch.sums + r * sizes_.panel_width,
                                  1.0F / scratch.total[r],
                                  {out, call_.out.scalar_type() == at::kBFloat16},
                                  sizes_.width);
        }
        if (call_.log_sum.defined()) {
            float* log_sum =
                call_.log_sum.mutable_data_ptr<float>() + head * sizes_.queries + first;
            for (std::int64_t r = 0; r < rows; ++r) {
                log_sum[r] = scratch.maximum[r] + std::log(scratch.total[r]);
            }
        }
    }

    struct Work {
        std::int64_t rows;
        const Scratch& scratch;
    };

    /// Logits of a block of keys, not scaled yet.
    void find_logits(const std::byte* packed,
                     std::int64_t key,
                     std::int64_t keys,
                     const Work& work) const {
        for (std::int64_t column = 0; column < keys; column += products_.panel_width) {
            products_.multiply({.a = work.scratch.queries,
                                .a_stride = queries_stride(),
                                .rows = round_up(work.rows, products_.row_multiple),
                                .panel = packed + (key + column) * sizes_.deep_width * element_,
                                .depth = sizes_.deep_width,
                                .c = work.scratch.logits + column,
                                .c_stride = logits_stride(),
                                .add = false});
        }
    }

    /// Logits to weights; the sums so far are brought to the new maximum.
    void weigh(std::int64_t head, std::int64_t key, std::int64_t keys, const Work& work) const {
        const RowKernels& kernels = row_kernels();
        const float scale = 1.0F / std::sqrt(static_cast<float>(sizes_.width));
        const float* bias = nullptr;
        if (call_.key_bias.defined()) {
            const std::int64_t b = call_.key_bias.size(0) == 1 ? 0 : head / sizes_.heads;
            bias = call_.key_bias.const_data_ptr<float>() + b * sizes_.keys + key;
        }
        const std::int64_t deep = round_up(keys, products_.depth_multiple);
        for (std::int64_t r = 0; r < work.rows; ++r) {
            std::byte* weights = work.scratch.weights + r * logits_stride() * element_;
            const float factor =
                kernels.softmax({.logits = work.scratch.logits + r * logits_stride(),
                                 .weights_bfloat16 = products_.is_bfloat16 ? weights : nullptr,
                                 .key_bias = bias,
                                 .keys = keys,
                                 .scale = scale,
                                 .maximum = work.scratch.maximum + r,
                                 .total = work.scratch.total + r});
            std::fill(weights + keys * element_, weights + deep * element_, std::byte{0});
            if (key > 0 && factor != 1.0F) {
                kernels.multiply(
                    work.scratch.sums + r * sizes_.panel_width, factor, sizes_.panel_width);
            }
        }
    }

    /// sums += weights times the values of a block of keys.
    void add_values(const std::byte* packed,
                    std::int64_t key,
                    std::int64_t keys,
                    const Work& work) const {
        const std::byte* values = packed + sizes_.packed_keys() * element_;
        for (std::int64_t column = 0; column < sizes_.width; column += products_.panel_width) {
            products_.multiply(
                {.a = work.scratch.weights,
                 .a_stride = logits_stride(),
                 .rows = round_up(work.rows, products_.row_multiple),
                 .panel =
                     values + (column * sizes_.deep_keys + key * products_.panel_width) * element_,
                 .depth = round_up(keys, products_.depth_multiple),
                 .c = work.scratch.sums + column,
                 .c_stride = sizes_.panel_width,
                 .add = key > 0});
        }
    }

    const AttentionCall& call_;
    const Products& products_;
    bool is_bfloat16_;
    std::int64_t element_;  ///< bytes of an element of the products
    Sizes sizes_;
    at::Tensor out_;     ///< [B, L, N, K]
    at::Tensor packed_;  ///< keys and values of some heads as the products want them
};

}  // namespace

void attention(const AttentionCall& call) {
    if (call.q.numel() > 0) {
        Attention(call).run();
    }
}

}  // namespace reelyard::nn::kernels::cpu
