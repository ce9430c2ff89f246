#include "reelyard/mpi/communicator.hpp"

#include <algorithm>
#include <climits>
#include <numeric>
#include <utility>

#include "reelyard/base/error.hpp"
#include "reelyard/base/log.hpp"
#include "reelyard/mpi/check.hpp"
#include "reelyard/mpi/requests.hpp"

#include "patience.hpp"

namespace reelyard::mpi {
namespace {

// Tags above those that callers may use (MPI guarantees 32767).
constexpr int ring_tag = 32767;
constexpr int gather_tag = ring_tag;

std::span<std::byte> bytes_of(std::string& text) {
    return std::as_writable_bytes(std::span(text.data(), text.size()));
}

}  // namespace

Communicator::Communicator(MPI_Comm comm) : comm_(comm) {
    check(MPI_Comm_rank(comm_, &rank_), "MPI_Comm_rank");
    check(MPI_Comm_size(comm_, &size_), "MPI_Comm_size");
}

Communicator Communicator::adopt(MPI_Comm comm) {
    return Communicator(comm);
}

Communicator Communicator::inherit(MPI_Comm comm) const {
    Communicator made(comm);
    made.chunk_bytes_ = chunk_bytes_;
    return made;
}

Communicator::Communicator(Communicator&& other) noexcept
    : comm_(std::exchange(other.comm_, MPI_COMM_NULL))
    , chunk_bytes_(other.chunk_bytes_)
    , rank_(other.rank_)
    , size_(other.size_) {}

Communicator& Communicator::operator=(Communicator&& other) noexcept {
    std::swap(comm_, other.comm_);
    std::swap(chunk_bytes_, other.chunk_bytes_);
    std::swap(rank_, other.rank_);
    std::swap(size_, other.size_);
    return *this;
}

Communicator::~Communicator() {
    int finalized = 0;
    MPI_Finalized(&finalized);
    if (comm_ == MPI_COMM_NULL || finalized != 0) {
        return;
    }
    if (MPI_Comm_free(&comm_) != MPI_SUCCESS) {
        log::local_warning("a communicator could not be freed");
    }
}

void Communicator::limit_chunks(std::int64_t bytes) {
    REELYARD_EXPECT(bytes > 0 && bytes <= INT_MAX);
    chunk_bytes_ = bytes;
}

Communicator Communicator::duplicate() const {
    MPI_Comm made = MPI_COMM_NULL;
    check(MPI_Comm_dup(comm_, &made), "MPI_Comm_dup");
    return inherit(made);
}

Communicator Communicator::split(int colour, int key) const {
    REELYARD_EXPECT(colour >= 0);
    MPI_Comm made = MPI_COMM_NULL;
    check(MPI_Comm_split(comm_, colour, key, &made), "MPI_Comm_split");
    return inherit(made);
}

std::vector<int> Communicator::ranks_in(const Communicator& larger) const {
    std::vector<int> own(static_cast<std::size_t>(size_));
    std::iota(own.begin(), own.end(), 0);
    std::vector<int> found(own.size());
    MPI_Group from = MPI_GROUP_NULL;
    MPI_Group to = MPI_GROUP_NULL;
    check(MPI_Comm_group(comm_, &from), "MPI_Comm_group");
    check(MPI_Comm_group(larger.comm_, &to), "MPI_Comm_group");
    check(MPI_Group_translate_ranks(from, size_, own.data(), to, found.data()),
          "MPI_Group_translate_ranks");
    check(MPI_Group_free(&from), "MPI_Group_free");
    check(MPI_Group_free(&to), "MPI_Group_free");
    return found;
}

Communicator Communicator::split_by_node() const {
    MPI_Comm made = MPI_COMM_NULL;
    check(MPI_Comm_split_type(comm_, MPI_COMM_TYPE_SHARED, rank_, MPI_INFO_NULL, &made),
          "MPI_Comm_split_type");
    return inherit(made);
}

void Communicator::barrier() const {
    check(MPI_Barrier(comm_), "MPI_Barrier");
}

void Communicator::patient_barrier() const {
    MPI_Request request = MPI_REQUEST_NULL;
    check(MPI_Ibarrier(comm_, &request), "MPI_Ibarrier");
    Patience patience;
    for (int is_through = 0; is_through == 0; patience.pause()) {
        check(MPI_Test(&request, &is_through, MPI_STATUS_IGNORE), "MPI_Test");
    }
}

void Communicator::broadcast(std::span<std::byte> data, int root) const {
    while (!data.empty()) {
        const auto bytes = std::min(data.size(), static_cast<std::size_t>(chunk_bytes_));
        check(MPI_Bcast(data.data(), static_cast<int>(bytes), MPI_BYTE, root, comm_), "MPI_Bcast");
        data = data.subspan(bytes);
    }
}

std::string Communicator::broadcast_text(std::string text, int root) const {
    auto bytes = static_cast<std::int64_t>(text.size());
    check(MPI_Bcast(&bytes, 1, MPI_INT64_T, root, comm_), "MPI_Bcast");
    text.resize(static_cast<std::size_t>(bytes));
    broadcast(bytes_of(text), root);
    return text;
}

void Communicator::all_gather_in_place(std::span<std::byte> data,
                                       std::span<const std::int64_t> offsets) const {
    REELYARD_EXPECT(static_cast<int>(offsets.size()) == size_ + 1);
    REELYARD_EXPECT(std::is_sorted(offsets.begin(), offsets.end()) && offsets.front() >= 0);
    REELYARD_EXPECT(offsets.back() <= static_cast<std::int64_t>(data.size()));
    const auto part = [&](int owner) {
        const auto begin = static_cast<std::size_t>(offsets[static_cast<std::size_t>(owner)]);
        const auto end = static_cast<std::size_t>(offsets[static_cast<std::size_t>(owner) + 1]);
        return data.subspan(begin, end - begin);
    };

    // A ring: each rank passes on what it got last, so every link carries each part once.
    const int right = (rank_ + 1) % size_;
    const int left = (rank_ + size_ - 1) % size_;
    for (int step = 0; step + 1 < size_; ++step) {
        const int sent = (rank_ + size_ - step) % size_;
        const int received = (rank_ + 2 * size_ - step - 1) % size_;
        Requests requests(*this);
        requests.receive(part(received), left, ring_tag);
        requests.send(part(sent), right, ring_tag);
        requests.wait();
    }
}

std::vector<std::string> Communicator::gather_texts(const std::string& text, int root) const {
    const auto bytes = static_cast<std::int64_t>(text.size());
    std::vector<std::int64_t> sizes(static_cast<std::size_t>(size_));
    check(MPI_Gather(&bytes, 1, MPI_INT64_T, sizes.data(), 1, MPI_INT64_T, root, comm_),
          "MPI_Gather");

    std::vector<std::string> texts;
    Requests requests(*this);
    if (rank_ == root) {
        texts.resize(sizes.size());
        texts[static_cast<std::size_t>(root)] = text;
        for (int source = 0; source < size_; ++source) {
            const auto at = static_cast<std::size_t>(source);
            if (source != root) {
                texts[at].resize(static_cast<std::size_t>(sizes[at]));
                requests.receive(bytes_of(texts[at]), source, gather_tag);
            }
        }
    } else {
        requests.send(std::as_bytes(std::span(text.data(), text.size())), root, gather_tag);
    }
    requests.wait();
    return texts;
}

std::int64_t Communicator::sum(std::int64_t value) const {
    std::int64_t result = 0;
    check(MPI_Allreduce(&value, &result, 1, MPI_INT64_T, MPI_SUM, comm_), "MPI_Allreduce");
    return result;
}

std::int64_t Communicator::max(std::int64_t value) const {
    std::int64_t result = 0;
    check(MPI_Allreduce(&value, &result, 1, MPI_INT64_T, MPI_MAX, comm_), "MPI_Allreduce");
    return result;
}

void Communicator::send_text(const std::string& text, int target, int tag) const {
    REELYARD_EXPECT(static_cast<std::int64_t>(text.size()) <= chunk_bytes_);
    REELYARD_EXPECT(tag >= 0 && tag < ring_tag);
    check(MPI_Send(text.data(), static_cast<int>(text.size()), MPI_CHAR, target, tag, comm_),
          "MPI_Send");
}

std::optional<Envelope> Communicator::probe() const {
    int there = 0;
    MPI_Status status{};
    check(MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, comm_, &there, &status), "MPI_Iprobe");
    if (there == 0) {
        return std::nullopt;
    }
    int bytes = 0;
    check(MPI_Get_count(&status, MPI_BYTE, &bytes), "MPI_Get_count");
    return Envelope{.source = status.MPI_SOURCE, .tag = status.MPI_TAG, .bytes = bytes};
}

std::string Communicator::receive_text(int source, int tag) const {
    // A matched probe: another thread cannot take the message between the two calls.
    MPI_Message message = MPI_MESSAGE_NULL;
    MPI_Status status{};
    check(MPI_Mprobe(source, tag, comm_, &message, &status), "MPI_Mprobe");
    int bytes = 0;
    check(MPI_Get_count(&status, MPI_CHAR, &bytes), "MPI_Get_count");
    std::string text(static_cast<std::size_t>(bytes), ' ');
    check(MPI_Mrecv(text.data(), bytes, MPI_CHAR, &message, MPI_STATUS_IGNORE), "MPI_Mrecv");
    return text;
}

}  // namespace reelyard::mpi
