#include "reelyard/store/transport/direct_reader.hpp"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <stop_token>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "reelyard/base/error.hpp"

#include "transport/direct_file.hpp"

namespace reelyard::store {
namespace {

// One read at a time leaves a disk idle between two; beyond four nothing is gained.
constexpr int default_threads = 4;
constexpr auto idle_interval = std::chrono::milliseconds(1);

bool adjoin(const Extent& a, const Extent& b) {
    return a.offset + static_cast<std::int64_t>(a.into.size()) == b.offset &&
           a.into.data() + a.into.size() == b.into.data();
}

std::vector<Extent> merged(const std::vector<Extent>& extents) {
    std::vector<Extent> runs;
    for (const Extent& extent : extents) {
        if (!runs.empty() && adjoin(runs.back(), extent)) {
            runs.back().into = {runs.back().into.data(),
                                runs.back().into.size() + extent.into.size()};
        } else {
            runs.push_back(extent);
        }
    }
    return runs;
}

}  // namespace

class DirectReader::Impl {
public:
    Impl(const std::filesystem::path& path, int threads) : file_(path) {
        REELYARD_EXPECT(threads >= 0);
        try {
            for (int i = 0; i < (threads > 0 ? threads : default_threads); ++i) {
                threads_.emplace_back([this](const std::stop_token& stop) { work(stop); });
            }
        } catch (const std::system_error& error) {
            fail(ErrorKind::resources,
                 "{}: no thread could be started to read it: {}",
                 path.string(),
                 error.code().message());
        }
    }
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;
    ~Impl() {
        for (std::jthread& thread : threads_) {
            thread.request_stop();
        }
    }

    [[nodiscard]] bool is_direct() const { return file_.is_direct(); }

    void start(ReadTask task) {
        {
            const std::lock_guard lock(mutex_);
            jobs_.push_back({.task = std::move(task)});
            waiting_.push_back(&jobs_.back());
        }
        begin_.notify_one();
    }

    std::int64_t finish(const std::function<void()>& idle) {
        const Job job = take_oldest(idle);
        if (job.failure) {
            std::rethrow_exception(job.failure);
        }
        return job.bytes;
    }

private:
    struct Job {
        ReadTask task;
        std::int64_t bytes = 0;
        std::exception_ptr failure = nullptr;
        bool is_done = false;
    };

    [[nodiscard]] Job take_oldest(const std::function<void()>& idle) {
        std::unique_lock lock(mutex_);
        REELYARD_EXPECT(!jobs_.empty());
        while (!end_.wait_for(lock, idle_interval, [&] { return jobs_.front().is_done; })) {
            if (idle) {
                lock.unlock();
                idle();
                lock.lock();
            }
        }
        Job job = std::move(jobs_.front());
        jobs_.pop_front();
        return job;
    }

    void work(const std::stop_token& stop) {
        std::unique_lock lock(mutex_);
        while (begin_.wait(lock, stop, [&] { return !waiting_.empty(); }) &&
               !stop.stop_requested()) {
            Job& job = *waiting_.front();
            waiting_.pop_front();
            lock.unlock();
            carry_out(job);
            lock.lock();
            job.is_done = true;
            end_.notify_all();
        }
    }

    void carry_out(Job& job) {
        try {
            for (const Extent& run : merged(job.task.extents)) {
                job.bytes += file_.read(run);
            }
            if (job.task.then) {
                job.task.then();
            }
        } catch (...) {
            job.failure = std::current_exception();
        }
    }

    DirectFile file_;
    std::mutex mutex_;  // guards the queues and is_done; a job under way belongs to its thread
    std::condition_variable_any begin_;
    std::condition_variable end_;
    std::deque<Job> jobs_;      // not finished, oldest first; a deque moves none while it is used
    std::deque<Job*> waiting_;  // those of them that no thread has taken
    std::vector<std::jthread> threads_;  // last: joined before the rest goes
};

DirectReader::DirectReader(const std::filesystem::path& path, int threads)
    : impl_(std::make_unique<Impl>(path, threads)) {}

DirectReader::~DirectReader() = default;

bool DirectReader::is_direct() const {
    return impl_->is_direct();
}

void DirectReader::start(ReadTask task) {
    impl_->start(std::move(task));
}

std::int64_t DirectReader::finish(const std::function<void()>& idle) {
    return impl_->finish(idle);
}

}  // namespace reelyard::store
