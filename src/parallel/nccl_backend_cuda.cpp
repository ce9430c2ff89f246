#include <algorithm>
#include <chrono>
#include <exception>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <cuda_runtime_api.h>
#include <nccl.h>

#include "reelyard/base/clock.hpp"
#include "reelyard/base/error.hpp"
#include "reelyard/mpi/agreement.hpp"
#include "reelyard/parallel/mpi_backend.hpp"
#include "reelyard/parallel/nccl_backend.hpp"

namespace reelyard::parallel {
namespace {

constexpr auto nap = std::chrono::microseconds(20);
// A group whose ranks have all they wanted parts at once; who does not is not waited for.
constexpr double parting_seconds = 5.0;

void check_cuda(cudaError_t code, const char* call) {
    require(code == cudaSuccess,
            ErrorKind::communication,
            "{}: {} ({})",
            call,
            cudaGetErrorString(code),
            cudaGetErrorName(code));
}

/// A point in the work of a stream.
class Event {
public:
    Event() {
        check_cuda(cudaEventCreateWithFlags(&event_, cudaEventDisableTiming), "cudaEventCreate");
    }
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;
    ~Event() { (void)cudaEventDestroy(event_); }

    void record(const c10::cuda::CUDAStream& stream) {
        check_cuda(cudaEventRecord(event_, stream.stream()), "cudaEventRecord");
    }
    /// Lets what `stream` is given from now on wait for the point.
    void block(const c10::cuda::CUDAStream& stream) const {
        check_cuda(cudaStreamWaitEvent(stream.stream(), event_, 0), "cudaStreamWaitEvent");
    }
    [[nodiscard]] bool is_reached() const {
        const cudaError_t code = cudaEventQuery(event_);
        if (code == cudaErrorNotReady) {
            return false;
        }
        check_cuda(code, "cudaEventQuery");
        return true;
    }

private:
    cudaEvent_t event_ = nullptr;
};

/// A communicator of NCCL whose calls do not block.
class Link {
public:
    /// Collective: all ranks of the group at once.
    Link(const ncclUniqueId& id, const mpi::Communicator& group, int device, double timeout)
        : timeout_(timeout) {
        ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
        config.blocking = 0;
        const c10::cuda::CUDAGuard guard(static_cast<c10::DeviceIndex>(device));
        try {
            check(ncclCommInitRankConfig(&comm_, group.size(), id, group.rank(), &config),
                  "ncclCommInitRankConfig");
            await("ncclCommInitRankConfig");
        } catch (...) {
            break_off();
            throw;
        }
    }
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;
    ~Link() {
        if (failed_ || under_way_ > 0 || std::uncaught_exceptions() > 0 || !part()) {
            break_off();
        }
    }

    /// Gives all messages of one start to the stream.
    void exchange(const std::vector<Message>& sent,
                  const std::vector<Message>& received,
                  const c10::cuda::CUDAStream& stream) {
        check(ncclGroupStart(), "ncclGroupStart");
        for (const Message& message : received) {
            check(ncclRecv(message.data.mutable_data_ptr(),
                           message.data.nbytes(),
                           ncclUint8,
                           message.peer,
                           comm_,
                           stream.stream()),
                  "ncclRecv");
        }
        for (const Message& message : sent) {
            check(ncclSend(message.data.const_data_ptr(),
                           message.data.nbytes(),
                           ncclUint8,
                           message.peer,
                           comm_,
                           stream.stream()),
                  "ncclSend");
        }
        check(ncclGroupEnd(), "ncclGroupEnd");
        await("ncclGroupEnd");
        ++under_way_;
    }

    /// \throws Error (communication) when NCCL has found out that something is wrong
    void look() { (void)is_ready("NCCL"); }
    void arrived() { --under_way_; }

private:
    [[noreturn]] void fail_with(ncclResult_t code, const char* call) {
        failed_ = true;
        fail(ErrorKind::communication,
             "{}: {} ({})",
             call,
             ncclGetErrorString(code),
             ncclGetLastError(comm_));
    }

    void check(ncclResult_t code, const char* call) {
        if (code != ncclSuccess && code != ncclInProgress) {
            fail_with(code, call);
        }
    }

    /// Whether what was called last is done.
    [[nodiscard]] bool is_ready(const char* call) {
        ncclResult_t state = ncclSuccess;
        check(ncclCommGetAsyncError(comm_, &state), "ncclCommGetAsyncError");
        check(state, call);
        return state == ncclSuccess;
    }

    void await(const char* call) {
        const Stopwatch watch;
        while (!is_ready(call)) {
            if (watch.seconds() > timeout_) {
                failed_ = true;
                fail(ErrorKind::communication,
                     "{}: not all ranks of the group have answered for {} (one hangs, or is gone)",
                     call,
                     format_seconds(timeout_));
            }
            std::this_thread::sleep_for(nap);
        }
    }

    /// Ends the communicator together with the other ranks. \returns whether they did the same
    [[nodiscard]] bool part() noexcept {
        ncclResult_t state = ncclCommFinalize(comm_);
        for (const Stopwatch watch; state == ncclInProgress;) {
            if (watch.seconds() > parting_seconds ||
                ncclCommGetAsyncError(comm_, &state) != ncclSuccess) {
                return false;
            }
            std::this_thread::sleep_for(nap);
        }
        return state == ncclSuccess && ncclCommDestroy(comm_) == ncclSuccess;
    }

    void break_off() noexcept {
        if (comm_ != nullptr) {
            // In a destructor, after a failure: a second one would tell nothing new.
            (void)ncclCommAbort(std::exchange(comm_, nullptr));
        }
    }

    ncclComm_t comm_ = nullptr;
    double timeout_;
    bool failed_ = false;
    int under_way_ = 0;  ///< transfers that are not through
};

class NcclTransfer final : public Transfer {
public:
    NcclTransfer(Link& link,
                 const std::vector<Message>& sent,
                 const std::vector<Message>& received,
                 const c10::cuda::CUDAStream& side)
        : link_(&link)
        , messages_(std::make_unique<std::vector<Message>>(sent)) {
        messages_->insert(messages_->end(), received.begin(), received.end());
        const c10::cuda::CUDAGuard guard(side.device_index());
        Event ready;
        ready.record(c10::cuda::getCurrentCUDAStream(side.device_index()));
        ready.block(side);
        link.exchange(sent, received, side);
        through_.record(side);
    }

    NcclTransfer(const NcclTransfer&) = delete;
    NcclTransfer& operator=(const NcclTransfer&) = delete;
    ~NcclTransfer() override {
        // What a GPU may still write to is left as it is; the end of the link ends the writing.
        (void)messages_.release();
    }

    bool test() override {
        if (messages_ == nullptr) {
            return true;
        }
        link_->look();
        if (!through_.is_reached()) {
            return false;
        }
        through_.block(c10::cuda::getCurrentCUDAStream(messages_->front().data.device().index()));
        link_->arrived();
        messages_.reset();
        return true;
    }

    /// NCCL does not tell which of them it waits for.
    [[nodiscard]] std::vector<int> missing() override {
        if (messages_ == nullptr) {
            return {};
        }
        std::vector<int> ranks;
        for (const Message& message : *messages_) {
            ranks.push_back(message.peer);
        }
        std::sort(ranks.begin(), ranks.end());
        ranks.erase(std::unique(ranks.begin(), ranks.end()), ranks.end());
        return ranks;
    }

private:
    Link* link_;
    std::unique_ptr<std::vector<Message>> messages_;  ///< kept alive; none: all is through
    Event through_;
};

class NcclBackend final : public MessageBackend {
public:
    NcclBackend(mpi::Communicator group, const ncclUniqueId& id, c10::Device device, double timeout)
        : side_(c10::cuda::getStreamFromPool(/*isHighPriority=*/true, device.index()))
        , link_(id, group, device.index(), timeout)
        , host_(make_mpi_backend(std::move(group))) {}

    [[nodiscard]] int rank() const override { return host_->rank(); }
    [[nodiscard]] int size() const override { return host_->size(); }
    [[nodiscard]] bool is_ordered() const override { return true; }

    [[nodiscard]] std::unique_ptr<Transfer> start(const std::vector<Message>& sent,
                                                  const std::vector<Message>& received,
                                                  int tag) override {
        const at::Tensor& any = (sent.empty() ? received : sent).front().data;
        if (any.is_cpu()) {
            return host_->start(sent, received, tag);
        }
        return std::make_unique<NcclTransfer>(link_, sent, received, side_);
    }

private:
    c10::cuda::CUDAStream side_;
    Link link_;
    std::unique_ptr<MessageBackend> host_;
};

/// Made by one rank, known to all.
ncclUniqueId common_id(const mpi::Communicator& group) {
    const std::string text = mpi::on_root(group, [] {
        ncclUniqueId id{};
        const ncclResult_t code = ncclGetUniqueId(&id);
        require(code == ncclSuccess,
                ErrorKind::resources,
                "ncclGetUniqueId: {} ({})",
                ncclGetErrorString(code),
                ncclGetLastError(nullptr));
        return std::string(id.internal, sizeof(id.internal));
    });
    ncclUniqueId id{};
    text.copy(id.internal, sizeof(id.internal));
    return id;
}

}  // namespace

bool has_nccl() {
    return true;
}

std::unique_ptr<MessageBackend> make_nccl_backend(mpi::Communicator group,
                                                  c10::Device device,
                                                  double timeout) {
    const ncclUniqueId id = common_id(group);
    return std::make_unique<NcclBackend>(std::move(group), id, device, timeout);
}

}  // namespace reelyard::parallel
