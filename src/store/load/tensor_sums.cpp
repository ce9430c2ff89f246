#include "load/tensor_sums.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <map>

#include "reelyard/base/crc32.hpp"
#include "reelyard/base/error.hpp"
#include "reelyard/mpi/agreement.hpp"

namespace reelyard::store {
namespace {

struct Sum {
    std::int64_t tensor;
    std::int64_t from;
    std::int64_t bytes;
    std::int64_t crc;
};

std::vector<Sum> parse(const std::vector<std::string>& texts) {
    std::vector<Sum> sums;
    for (const std::string& text : texts) {
        for (std::size_t at = 0; at < text.size(); at += sizeof(Sum)) {
            Sum sum{};
            std::memcpy(&sum, text.data() + at, sizeof(Sum));
            sums.push_back(sum);
        }
    }
    std::sort(sums.begin(), sums.end(), [](const Sum& a, const Sum& b) {
        return std::array{a.tensor, a.from} < std::array{b.tensor, b.from};
    });
    return sums;
}

/// Sums of runs of a tensor put together, as far as they join from its beginning.
struct Joined {
    std::int64_t bytes = 0;
    std::uint32_t crc = 0;
};

void join(Joined& so_far, const Sum& next) {
    if (next.from == so_far.bytes) {
        so_far.crc = combine_crc32(so_far.crc, static_cast<std::uint32_t>(next.crc), next.bytes);
        so_far.bytes += next.bytes;
    }
}

}  // namespace

void TensorSums::add(const StoredTensor& tensor,
                     std::int64_t from,
                     std::span<const std::byte> stored) {
    const auto crc = static_cast<std::int64_t>(crc32(stored));
    const std::lock_guard lock(mutex_);
    records_.insert(
        records_.end(),
        {&tensor - component_.tensors.data(), from, static_cast<std::int64_t>(stored.size()), crc});
}

void TensorSums::check(const mpi::Communicator& world, const std::string& place) const {
    std::string own(records_.size() * sizeof(std::int64_t), '\0');
    std::memcpy(own.data(), records_.data(), own.size());
    const auto texts = world.gather_texts(own, 0);
    mpi::together(world, [&] {
        std::map<std::int64_t, Joined> tensors;
        for (const Sum& sum : parse(texts)) {
            join(tensors[sum.tensor], sum);
        }
        std::vector<std::string> wrong;
        for (const auto& [number, joined] : tensors) {
            const StoredTensor& tensor = component_.tensors[static_cast<std::size_t>(number)];
            if (joined.bytes == tensor.bytes && tensor.crc32 && *tensor.crc32 != joined.crc) {
                wrong.push_back(component_.name + "/" + tensor.name);
            }
        }
        require(wrong.empty(),
                ErrorKind::input,
                "{}: these tensors do not agree with their checksums: {}; the weight store is "
                "corrupted, import the checkpoint again",
                place,
                fmt::join(wrong, ", "));
    });
}

}  // namespace reelyard::store
