#include "frame_conv_cpu.hpp"

#include <functional>
#include <mutex>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "reelyard/base/error.hpp"
#include "reelyard/nn/parallel.hpp"

namespace reelyard::nn {
namespace {

constexpr std::int64_t most_kernel_rows = 64;          // kt * kh; what the kernels have room for
constexpr std::int64_t least_parallel_work = 1 << 23;  // less is done before threads wake

/// for_each_task(), or a loop where it would not pay.
/// \param work products of the tasks together
void for_each(std::int64_t tasks,
              std::int64_t work,
              const std::function<void(std::int64_t)>& body) {
    if (work >= least_parallel_work) {
        for_each_task(tasks, body);
        return;
    }
    for (std::int64_t task = 0; task < tasks; ++task) {
        body(task);
    }
}

/// Addresses of batch item `b` of frames [B, H, W, C]; null for undefined frames.
std::vector<const float*> planes_of(const FrameList& frames, std::int64_t b, std::int64_t offset) {
    std::vector<const float*> planes;
    planes.reserve(frames.size());
    for (const at::Tensor& frame : frames) {
        planes.push_back(frame.defined()
                             ? frame.const_data_ptr<float>() + b * frame.stride(0) + offset
                             : nullptr);
    }
    return planes;
}

/// Pieces of memory for tasks that run at the same time; each is used again and again.
class ScratchPool {
public:
    explicit ScratchPool(std::int64_t size) : size_(size) {}

    at::Tensor take() {
        const std::lock_guard lock(guard_);
        if (free_.empty()) {
            return at::empty({size_}, at::kFloat);
        }
        at::Tensor piece = std::move(free_.back());
        free_.pop_back();
        return piece;
    }

    void give_back(at::Tensor piece) {
        const std::lock_guard lock(guard_);
        free_.push_back(std::move(piece));
    }

private:
    std::int64_t size_;
    std::mutex guard_;
    std::vector<at::Tensor> free_;
};

}  // namespace

const kernels::FrameKernels& frame_kernels(InstructionSet set) {
#if REELYARD_X86_KERNELS
    if (set == InstructionSet::avx512) {
        return kernels::frame_kernels_avx512;
    }
    if (set == InstructionSet::avx2) {
        return kernels::frame_kernels_avx2;
    }
#endif
    REELYARD_EXPECT(set == InstructionSet::baseline);
    return kernels::frame_kernels_baseline;
}

CpuConv::CpuConv(const at::Tensor& weight,
                 const at::Tensor& bias,
                 const FrameConvOptions& options,
                 std::array<std::int64_t, 2> pads,
                 InstructionSet instructions)
    : kernels_(&frame_kernels(instructions)) {
    REELYARD_EXPECT(weight.dim() == 5 && weight.is_contiguous() && bias.is_contiguous());
    REELYARD_EXPECT(weight.scalar_type() == at::kFloat && bias.scalar_type() == at::kFloat);
    REELYARD_EXPECT(options.stride == 1 || options.stride == 2);
    shape_.channels_out = weight.size(0);
    shape_.channels_in = weight.size(1);
    shape_.kernel_frames = weight.size(2);
    shape_.kernel_rows = weight.size(3);
    shape_.kernel_columns = weight.size(4);
    REELYARD_EXPECT(shape_.kernel_frames * shape_.kernel_rows <= most_kernel_rows);
    shape_.stride = options.stride;
    shape_.frame_stride = options.frame_stride;
    shape_.pad_top = pads[0];
    shape_.pad_left = pads[1];
    packed_ = at::empty({kernels_->packed_size(shape_)}, at::kFloat);
    const auto pack = [&](std::int64_t block) {
        kernels_->pack_block(shape_,
                             block,
                             weight.const_data_ptr<float>(),
                             bias.const_data_ptr<float>(),
                             packed_.data_ptr<float>());
    };
    for_each(kernels_->block_count(shape_), packed_.numel(), pack);
}

kernels::ConvJob CpuConv::job_for(const FrameList& frames,
                                  const FrameList& out,
                                  const OutputGrid& grid) const {
    const at::Tensor& in = frames.back();
    kernels::ConvJob job = shape_;
    job.rows_in = in.size(1);
    job.pad_top -= grid.rows_above;
    job.columns_in = in.size(2);
    job.rows_out = out.front().size(1) / grid.step;
    job.columns_out = out.front().size(2) / grid.step;
    job.frames_out = static_cast<std::int64_t>(out.size());
    job.weights = packed_.const_data_ptr<float>();
    job.out_pixel_stride = grid.step * job.channels_out;
    job.out_row_stride = job.out_pixel_stride * out.front().size(2);
    job.threads = at::get_num_threads();
    return job;
}

void CpuConv::run_tasks(const kernels::ConvJob& job) const {
    const std::int64_t tasks = kernels_->task_count(job);
    ScratchPool pool(kernels_->scratch_size(job));
    const auto body = [&](std::int64_t task) {
        at::Tensor scratch = pool.take();
        kernels_->convolve_task(job, task, scratch.data_ptr<float>());
        pool.give_back(std::move(scratch));
    };
    for_each(tasks, job.rows_out * job.columns_out * job.frames_out * packed_.numel(), body);
}

void CpuConv::run(const FrameList& frames,
                  const FrameList& addends,
                  const FrameList& out,
                  const OutputGrid& grid) const {
    kernels::ConvJob job = job_for(frames, out, grid);
    const std::int64_t offset = (grid.row * out.front().size(2) + grid.column) * job.channels_out;
    for (std::int64_t b = 0; b < out.front().size(0); ++b) {
        const std::vector<const float*> in = planes_of(frames, b, 0);
        const std::vector<const float*> added = planes_of(addends, b, offset);
        std::vector<float*> results;
        for (const at::Tensor& frame : out) {
            results.push_back(frame.data_ptr<float>() + b * frame.stride(0) + offset);
        }
        job.in = in.data();
        job.addend = added.empty() ? nullptr : added.data();
        job.out = results.data();
        run_tasks(job);
    }
}

}  // namespace reelyard::nn
