#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "reelyard/base/bytes.hpp"
#include "reelyard/base/checksum.hpp"
#include "reelyard/base/crc32.hpp"
#include "reelyard/mpi/agreement.hpp"
#include "reelyard/store/weight_loader.hpp"

#include "file/byte_file.hpp"
#include "memory/host_buffer.hpp"

namespace reelyard::store {
namespace {

constexpr std::int64_t piece_bytes = 16 * mebibyte;
// How much a rank reads before all agree that nobody failed and progress is shown.
constexpr std::int64_t round_bytes = 256 * mebibyte;

/// A tensor and where its bytes lie in the file.
struct Item {
    std::string name;  ///< "component/tensor"
    std::int64_t offset;
    const StoredTensor* tensor;
};

std::vector<Item> all_items(const StoreFile& file) {
    std::vector<Item> items;
    for (const StoredComponent& component : file.index().components) {
        for (const StoredTensor& tensor : component.tensors) {
            items.push_back({.name = component.name + "/" + tensor.name,
                             .offset = file.slab_offset(component.name) + tensor.offset,
                             .tensor = &tensor});
        }
    }
    return items;
}

class Verifier {
public:
    explicit Verifier(const StoreFile& file)
        : file_(file.path(), ByteFile::Access::read)
        , piece_(piece_bytes) {}

    [[nodiscard]] bool is_sound(const Item& item) const {
        Checksum sum;
        std::uint32_t crc = 0;
        for (std::int64_t at = 0; at < item.tensor->bytes; at += piece_bytes) {
            const auto piece = piece_.part(0, std::min(piece_bytes, item.tensor->bytes - at));
            file_.read(item.offset + at, piece);
            sum.update(piece);
            crc = crc32(piece, crc);
        }
        return sum.digest() == item.tensor->checksum && crc == item.tensor->crc32.value_or(crc);
    }

private:
    ByteFile file_;
    HostBuffer piece_;
};

/// The items of one rank: a run with about its share of the bytes.
std::vector<Item> own_items(const std::vector<Item>& items, const mpi::Communicator& world) {
    std::int64_t total = 0;
    for (const Item& item : items) {
        total += item.tensor->bytes;
    }
    std::vector<Item> own;
    std::int64_t done = 0;
    for (const Item& item : items) {
        // The rank in whose part of the bytes the item begins; none begins at the very end but
        // empty ones.
        const double place =
            static_cast<double>(done) / static_cast<double>(std::max(total, std::int64_t{1}));
        const int owner = std::min(static_cast<int>(place * world.size()), world.size() - 1);
        if (owner == world.rank()) {
            own.push_back(item);
        }
        done += item.tensor->bytes;
    }
    return own;
}

}  // namespace

std::vector<std::string> find_corrupted_tensors(const StoreFile& file,
                                                const mpi::Communicator& world,
                                                const VerifyProgress& progress) {
    const std::vector<Item> items = all_items(file);
    const std::vector<Item> own = own_items(items, world);
    std::int64_t total = 0;
    for (const Item& item : items) {
        total += item.tensor->bytes;
    }

    std::string bad;
    std::size_t next = 0;
    std::int64_t done = 0;
    while (world.max(next < own.size() ? 1 : 0) > 0) {
        mpi::together(world, [&] {
            const Verifier verifier(file);
            const std::int64_t goal = done + round_bytes;
            for (; next < own.size() && done < goal; ++next) {
                done += own[next].tensor->bytes;
                bad += verifier.is_sound(own[next]) ? "" : own[next].name + "\n";
            }
        });
        progress(world.sum(done), total);
    }

    std::string all;
    for (const std::string& text : world.gather_texts(bad, 0)) {
        all += text;
    }
    std::istringstream lines(world.broadcast_text(all, 0));
    std::vector<std::string> corrupted;
    for (std::string line; std::getline(lines, line);) {
        corrupted.push_back(line);
    }
    return corrupted;
}

}  // namespace reelyard::store
