#include "reelyard/mpi/requests.hpp"

#include <algorithm>
#include <set>

#include "reelyard/mpi/check.hpp"

#include "patience.hpp"

namespace reelyard::mpi {
namespace {

/// Calls `each` with one chunk of `data` after the other.
template <typename Span, typename Each>
void for_each_chunk(Span data, std::int64_t chunk_bytes, Each&& each) {
    while (!data.empty()) {
        const auto bytes = std::min(data.size(), static_cast<std::size_t>(chunk_bytes));
        each(data.first(bytes));
        data = data.subspan(bytes);
    }
}

}  // namespace

Requests::~Requests() {
    for (MPI_Request& request : pending_) {
        MPI_Cancel(&request);
    }
    if (!pending_.empty()) {
        MPI_Waitall(static_cast<int>(pending_.size()), pending_.data(), MPI_STATUSES_IGNORE);
    }
}

void Requests::send(std::span<const std::byte> data, int target, int tag) {
    for_each_chunk(data, ranks_->chunk_bytes(), [&](std::span<const std::byte> chunk) {
        MPI_Request request = MPI_REQUEST_NULL;
        check(MPI_Isend(chunk.data(),
                        static_cast<int>(chunk.size()),
                        MPI_BYTE,
                        target,
                        tag,
                        ranks_->handle(),
                        &request),
              "MPI_Isend");
        pending_.push_back(request);  // wait() or the destructor waits for it
        peers_.push_back(target);
        // NOLINTNEXTLINE(clang-analyzer-optin.mpi.MPI-Checker)
    });
}

void Requests::receive(std::span<std::byte> data, int source, int tag) {
    for_each_chunk(data, ranks_->chunk_bytes(), [&](std::span<std::byte> chunk) {
        MPI_Request request = MPI_REQUEST_NULL;
        check(MPI_Irecv(chunk.data(),
                        static_cast<int>(chunk.size()),
                        MPI_BYTE,
                        source,
                        tag,
                        ranks_->handle(),
                        &request),
              "MPI_Irecv");
        pending_.push_back(request);  // wait() or the destructor waits for it
        peers_.push_back(source);
        // NOLINTNEXTLINE(clang-analyzer-optin.mpi.MPI-Checker)
    });
}

void Requests::clear() {
    pending_.clear();
    peers_.clear();
}

void Requests::wait() {
    if (pending_.empty()) {
        return;
    }
    const int code =
        MPI_Waitall(static_cast<int>(pending_.size()), pending_.data(), MPI_STATUSES_IGNORE);
    if (code == MPI_SUCCESS) {
        clear();
    }
    check(code, "MPI_Waitall");
}

void Requests::wait_patiently() {
    for (Patience patience; !test(); patience.pause()) {
    }
}

bool Requests::test() {
    if (pending_.empty()) {
        return true;
    }
    int all = 0;
    check(
        MPI_Testall(static_cast<int>(pending_.size()), pending_.data(), &all, MPI_STATUSES_IGNORE),
        "MPI_Testall");
    if (all != 0) {
        clear();
    }
    return all != 0;
}

std::vector<int> Requests::unfinished() {
    std::set<int> ranks;
    for (std::size_t i = 0; i < pending_.size(); ++i) {
        int is_done = 0;
        check(MPI_Request_get_status(pending_[i], &is_done, MPI_STATUS_IGNORE),
              "MPI_Request_get_status");
        if (is_done == 0) {
            ranks.insert(peers_[i]);
        }
    }
    return {ranks.begin(), ranks.end()};
}

}  // namespace reelyard::mpi
