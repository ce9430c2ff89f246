// The frame kernels of one instruction set. Included by <set>.cpp, which is compiled
// for that set and defines REELYARD_VECTOR_BYTES, REELYARD_TILE_COLUMNS (how many pixels' sums fit
// into registers) and REELYARD_KERNELS (the name of the result).
//
// How the convolution works. A task is a strip of up to REELYARD_TILE_COLUMNS output columns, a
// block of rows and all frames. First its input is copied into panels: one per input frame and row,
// [channel][column], with zeros where the picture ends. Then, for each block of two vectors of
// output channels, the sums of a whole row of the strip stay in registers while the taps and input
// channels go by: one weight vector times one broadcast input value per instruction. The panels and
// the weights of a block stay in the second-level cache. Each output is summed in the same order
// wherever it lies in a task, so results depend neither on the tiling nor on the threads.
#include "kernels/frames/frame_kernels.hpp"
#include "kernels/rows/vectors.hpp"

namespace reelyard::nn::kernels {
namespace {

constexpr int tile_columns = REELYARD_TILE_COLUMNS;
constexpr int block_vectors = 2;
constexpr int block_channels = block_vectors * lanes;
/// Floats that the panels of a task may take: leaves most of a 2 MiB cache to the weights.
constexpr std::int64_t panel_budget = 160 * 1024;
constexpr std::int64_t tasks_per_thread = 3;
constexpr std::int64_t max_tap_rows = 64;

using i64 = std::int64_t;
using Vector = Floats;
using Four = float __attribute__((vector_size(16)));

Four load_four(const float* from) {
    Four values;
    std::memcpy(&values, from, sizeof(values));
    return values;
}

void store_four(float* to, Four values) {
    std::memcpy(to, &values, sizeof(values));
}

i64 smaller(i64 a, i64 b) {
    return a < b ? a : b;
}

i64 larger(i64 a, i64 b) {
    return a > b ? a : b;
}

i64 divide_up(i64 a, i64 b) {
    return (a + b - 1) / b;
}

// ---------------------------------------------------------------------------------------- weights

/// Vectors of output channels in block `block`.
int vectors_of(const ConvJob& job, i64 block) {
    return static_cast<int>(
        smaller(divide_up(job.channels_out - block * block_channels, lanes), block_vectors));
}

i64 taps_of(const ConvJob& job) {
    return job.kernel_frames * job.kernel_rows * job.kernel_columns;
}

/// Floats of a block with `vectors` vectors: the bias, then for each tap and input channel a row.
i64 block_size(const ConvJob& job, int vectors) {
    return (1 + taps_of(job) * job.channels_in) * vectors * lanes;
}

i64 block_count(const ConvJob& job) {
    return divide_up(job.channels_out, block_channels);
}

i64 packed_size(const ConvJob& job) {
    const i64 blocks = block_count(job);
    return (blocks - 1) * block_size(job, block_vectors) +
           block_size(job, vectors_of(job, blocks - 1));
}

void pack_block(const ConvJob& job, i64 block, const float* weight, const float* bias, float* out) {
    const i64 first = block * block_channels;
    const i64 width = i64{vectors_of(job, block)} * lanes;
    const i64 used = smaller(width, job.channels_out - first);
    const i64 taps = taps_of(job);
    out += block * block_size(job, block_vectors);
    for (i64 o = 0; o < width; ++o) {
        out[o] = o < used ? bias[first + o] : 0.0F;
    }
    out += width;
    for (i64 tap = 0; tap < taps; ++tap) {
        for (i64 i = 0; i < job.channels_in; ++i, out += width) {
            for (i64 o = 0; o < width; ++o) {
                out[o] = o < used ? weight[((first + o) * job.channels_in + i) * taps + tap] : 0.0F;
            }
        }
    }
}

// ------------------------------------------------------------------------------------------ tiles

/// One kernel row that falls into the picture.
struct TapRow {
    const float* panel;
    const float* weights;
};

/// A row of output pixels of one block of channels.
struct Tile {
    const TapRow* rows;
    i64 row_count;
    i64 kernel_columns, channels_in, panel_columns;
    const float* bias;
    float* out;
    const float* addend;  ///< or null
    i64 pixel_stride;
    i64 channels_out;  ///< of this block
};

/// Writes the first `left` channels of a vector, the addend added; all where there are more.
void finish(Vector value, const float* addend, float* out, i64 left) {
    if (left >= lanes) {
        store(out, addend == nullptr ? value : value + load(addend));
    } else {
        store_part(out, addend == nullptr ? value : value + load_part(addend, left), left);
    }
}

template <int Columns, int Vectors>
using Sums = Vector[Columns][Vectors];

/// Adds one input channel of one tap.
template <int Columns, int Vectors, int Stride>
REELYARD_INLINE void add_products(Sums<Columns, Vectors>& sums,
                                  const float* in,
                                  const float* weights) {
    Vector weight[Vectors];
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v) {
        weight[v] = load(weights + v * lanes);
    }
#pragma GCC unroll 16
    for (int r = 0; r < Columns; ++r) {
#pragma GCC unroll 4
        for (int v = 0; v < Vectors; ++v) {
            sums[r][v] += weight[v] * in[r * Stride];
        }
    }
}

template <int Columns, int Vectors, int Stride>
void compute_tile(const Tile& tile) {
    Sums<Columns, Vectors> sums;
#pragma GCC unroll 16
    for (int r = 0; r < Columns; ++r) {
#pragma GCC unroll 4
        for (int v = 0; v < Vectors; ++v) {
            sums[r][v] = load(tile.bias + v * lanes);
        }
    }
    const i64 step = tile.panel_columns;
    for (i64 row = 0; row < tile.row_count; ++row) {
        const float* weights = tile.rows[row].weights;
        for (i64 k = 0; k < tile.kernel_columns; ++k) {
            const float* in = tile.rows[row].panel + k;
            for (i64 c = 0; c < tile.channels_in; ++c, in += step, weights += Vectors * lanes) {
                add_products<Columns, Vectors, Stride>(sums, in, weights);
            }
        }
    }
    for (int i = 0; i < Columns * Vectors; ++i) {
        const i64 channel = i % Vectors * lanes;
        const i64 at = i / Vectors * tile.pixel_stride + channel;
        finish(sums[i / Vectors][i % Vectors],
               tile.addend == nullptr ? nullptr : tile.addend + at,
               tile.out + at,
               tile.channels_out - channel);
    }
}

using TileFunction = void (*)(const Tile&);

template <int Vectors, int Stride, int Columns = tile_columns>
TileFunction choose_columns(i64 columns) {
    if constexpr (Columns > 1) {
        if (columns < Columns) {
            return choose_columns<Vectors, Stride, Columns - 1>(columns);
        }
    }
    return compute_tile<Columns, Vectors, Stride>;
}

TileFunction choose_tile(i64 columns, int vectors, i64 stride) {
    if (stride == 1) {
        return vectors == 1 ? choose_columns<1, 1>(columns) : choose_columns<2, 1>(columns);
    }
    return vectors == 1 ? choose_columns<1, 2>(columns) : choose_columns<2, 2>(columns);
}

// ----------------------------------------------------------------------------------------- panels

i64 panel_columns(const ConvJob& job, i64 columns) {
    return (columns - 1) * job.stride + job.kernel_columns;
}

i64 frames_in(const ConvJob& job) {
    return (job.frames_out - 1) * job.frame_stride + job.kernel_frames;
}

i64 rows_below(const ConvJob& job, i64 rows) {
    return (rows - 1) * job.stride + job.kernel_rows;
}

/// Floats of the panel of one input frame and row; a multiple of 16 so that panels start aligned.
i64 panel_size(const ConvJob& job, i64 columns) {
    return divide_up(panel_columns(job, columns) * job.channels_in, 16) * 16;
}

/// Four pixels by four channels, transposed.
void transpose_four(const float* in, i64 pixel_stride, float* out, i64 channel_stride) {
    const Four a = load_four(in);
    const Four b = load_four(in + pixel_stride);
    const Four c = load_four(in + 2 * pixel_stride);
    const Four d = load_four(in + 3 * pixel_stride);
    const Four ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5);
    const Four ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
    const Four cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5);
    const Four cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    store_four(out, __builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5));
    store_four(out + channel_stride, __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7));
    store_four(out + 2 * channel_stride, __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5));
    store_four(out + 3 * channel_stride, __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7));
}

/// Copies four pixels of a row, or one, into columns `panel`... of a panel `width` wide.
template <int Pixels>
void fill_columns(const float* pixels, i64 channels, float* panel, i64 width) {
    i64 c = 0;
    if constexpr (Pixels == 4) {
        for (; c + 4 <= channels; c += 4) {
            transpose_four(pixels + c, channels, panel + c * width, width);
        }
    }
    for (; c < channels; ++c) {
        for (int p = 0; p < Pixels; ++p) {
            panel[c * width + p] = pixels[p * channels + c];
        }
    }
}

/// Copies columns first .. first + width of an input row [columns_in, channels_in] into a panel.
void fill_panel(const ConvJob& job, const float* row, i64 first, i64 width, float* panel) {
    const i64 channels = job.channels_in;
    const i64 begin = smaller(larger(-first, 0), width);
    const i64 end = larger(smaller(job.columns_in - first, width), begin);
    for (i64 c = 0; c < channels; ++c) {
        for (i64 column = 0; column < begin; ++column) {
            panel[c * width + column] = 0.0F;
        }
        for (i64 column = end; column < width; ++column) {
            panel[c * width + column] = 0.0F;
        }
    }
    i64 column = begin;
    for (; column + 4 <= end; column += 4) {
        fill_columns<4>(row + (first + column) * channels, channels, panel + column, width);
    }
    for (; column < end; ++column) {
        fill_columns<1>(row + (first + column) * channels, channels, panel + column, width);
    }
}

/// The part of the output that a task makes.
struct Area {
    i64 column, columns, row, rows;
};

/// Fills the panels [frame][row] below an area; those outside the picture stay untouched.
void fill_panels(const ConvJob& job, const Area& area, float* panels) {
    const i64 size = panel_size(job, area.columns);
    const i64 width = panel_columns(job, area.columns);
    const i64 rows = rows_below(job, area.rows);
    const i64 first_row = area.row * job.stride - job.pad_top;
    const i64 first_column = area.column * job.stride - job.pad_left;
    for (i64 f = 0; f < frames_in(job); ++f) {
        for (i64 r = 0; r < rows; ++r) {
            const i64 row = first_row + r;
            if (job.in[f] != nullptr && row >= 0 && row < job.rows_in) {
                fill_panel(job,
                           job.in[f] + row * job.columns_in * job.channels_in,
                           first_column,
                           width,
                           panels + (f * rows + r) * size);
            }
        }
    }
}

// ------------------------------------------------------------------------------------ convolution

/// What all tiles of a block of channels have in common.
struct Block {
    const float* weights;  ///< bias first
    i64 channel;           ///< the first of the block
    int vectors;
    const float* panels;  ///< of the area
};

/// An output row of an area.
struct Place {
    i64 frame, row;
};

/// Lists the kernel rows that meet the picture for an output row.
/// \returns how many there are
i64 gather_rows(
    const ConvJob& job, const Area& area, const Block& block, Place place, TapRow* rows) {
    const i64 below = rows_below(job, area.rows);
    const i64 size = panel_size(job, area.columns);
    const i64 row_weights = job.kernel_columns * job.channels_in * block.vectors * lanes;
    const float* taps = block.weights + i64{block.vectors} * lanes;
    i64 count = 0;
    for (i64 dt = 0; dt < job.kernel_frames; ++dt) {
        const i64 frame = place.frame * job.frame_stride + dt;
        for (i64 dy = 0; dy < job.kernel_rows; ++dy) {
            const i64 row = (area.row + place.row) * job.stride - job.pad_top + dy;
            if (job.in[frame] == nullptr || row < 0 || row >= job.rows_in) {
                continue;
            }
            rows[count].panel = block.panels + (frame * below + place.row * job.stride + dy) * size;
            rows[count].weights = taps + (dt * job.kernel_rows + dy) * row_weights;
            ++count;
        }
    }
    return count;
}

void convolve_block(const ConvJob& job, const Area& area, const Block& block) {
    TapRow rows[max_tap_rows];
    Tile tile{};
    tile.rows = rows;
    tile.kernel_columns = job.kernel_columns;
    tile.channels_in = job.channels_in;
    tile.panel_columns = panel_columns(job, area.columns);
    tile.bias = block.weights;
    tile.pixel_stride = job.out_pixel_stride;
    tile.channels_out = job.channels_out - block.channel;
    const TileFunction compute = choose_tile(area.columns, block.vectors, job.stride);
    for (i64 t = 0; t < job.frames_out; ++t) {
        for (i64 y = 0; y < area.rows; ++y) {
            const i64 at = (area.row + y) * job.out_row_stride +
                           area.column * job.out_pixel_stride + block.channel;
            tile.row_count = gather_rows(job, area, block, Place{t, y}, rows);
            tile.out = job.out[t] + at;
            tile.addend = job.addend == nullptr ? nullptr : job.addend[t] + at;
            compute(tile);
        }
    }
}

void convolve_area(const ConvJob& job, const Area& area, float* panels) {
    fill_panels(job, area, panels);
    const float* weights = job.weights;
    for (i64 channel = 0; channel < job.channels_out; channel += block_channels) {
        const int vectors = vectors_of(job, channel / block_channels);
        convolve_block(job, area, Block{weights, channel, vectors, panels});
        weights += block_size(job, vectors);
    }
}

/// How the output is cut into tasks: strips of nearly equal width times blocks of rows.
struct Tasks {
    i64 strips, row_blocks, rows;
};

Tasks cut(const ConvJob& job) {
    Tasks tasks{};
    tasks.strips = divide_up(job.columns_out, tile_columns);
    const i64 widest = divide_up(job.columns_out, tasks.strips);
    const i64 panel_rows = panel_budget / (panel_size(job, widest) * frames_in(job));
    const i64 fitting = larger((panel_rows - job.kernel_rows) / job.stride + 1, 1);
    const i64 wanted = divide_up(job.threads * tasks_per_thread, tasks.strips);
    tasks.row_blocks = smaller(larger(divide_up(job.rows_out, fitting), wanted), job.rows_out);
    tasks.rows = divide_up(job.rows_out, tasks.row_blocks);
    tasks.row_blocks = divide_up(job.rows_out, tasks.rows);
    return tasks;
}

Area area_of(const ConvJob& job, const Tasks& tasks, i64 task) {
    const i64 strip = task % tasks.strips;
    Area area{};
    area.column = strip * job.columns_out / tasks.strips;
    area.columns = (strip + 1) * job.columns_out / tasks.strips - area.column;
    area.row = task / tasks.strips * tasks.rows;
    area.rows = smaller(tasks.rows, job.rows_out - area.row);
    return area;
}

i64 scratch_size(const ConvJob& job) {
    const Tasks tasks = cut(job);
    return panel_size(job, divide_up(job.columns_out, tasks.strips)) * frames_in(job) *
           rows_below(job, tasks.rows);
}

i64 task_count(const ConvJob& job) {
    const Tasks tasks = cut(job);
    return tasks.strips * tasks.row_blocks;
}

void convolve_task(const ConvJob& job, i64 task, float* scratch) {
    convolve_area(job, area_of(job, cut(job), task), scratch);
}

// ---------------------------------------------------------------------------------- normalisation

Vector silu(Vector x) {
    return x / (exponential(-x) + 1.0F);
}

template <bool Silu>
void normalise_pixel(const float* in, float* out, const float* gain, i64 channels) {
    constexpr float smallest_norm = 1e-12F;
    const i64 whole = channels / lanes * lanes;
    Vector squares = load_part(in + whole, channels - whole);
    squares *= squares;
    for (i64 c = 0; c < whole; c += lanes) {
        const Vector x = load(in + c);
        squares += x * x;
    }
    const float norm = __builtin_sqrtf(sum_of(squares));
    const float scale = 1.0F / (norm > smallest_norm ? norm : smallest_norm);
    for (i64 c = 0; c < whole; c += lanes) {
        const Vector y = load(in + c) * scale * load(gain + c);
        store(out + c, Silu ? silu(y) : y);
    }
    if (whole < channels) {
        const i64 left = channels - whole;
        const Vector y = load_part(in + whole, left) * scale * load_part(gain + whole, left);
        store_part(out + whole, Silu ? silu(y) : y, left);
    }
}

void normalise(const NormJob& job) {
    for (i64 pixel = 0; pixel < job.pixels; ++pixel) {
        const i64 at = pixel * job.channels;
        if (job.silu) {
            normalise_pixel<true>(job.in + at, job.out + at, job.gain, job.channels);
        } else {
            normalise_pixel<false>(job.in + at, job.out + at, job.gain, job.channels);
        }
    }
}

}  // namespace

const FrameKernels REELYARD_KERNELS = {.packed_size = packed_size,
                                       .block_count = block_count,
                                       .pack_block = pack_block,
                                       .scratch_size = scratch_size,
                                       .task_count = task_count,
                                       .convolve_task = convolve_task,
                                       .normalise = normalise};

}  // namespace reelyard::nn::kernels
