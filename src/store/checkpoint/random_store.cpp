#include "reelyard/store/checkpoint/random_store.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstring>
#include <future>
#include <random>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include <c10/util/BFloat16.h>
#include <c10/util/Half.h>

#include "reelyard/base/atomic_file.hpp"
#include "reelyard/base/bytes.hpp"
#include "reelyard/base/checksum.hpp"
#include "reelyard/base/crc32.hpp"
#include "reelyard/base/error.hpp"
#include "reelyard/base/stop_signal.hpp"

#include "checkpoint/import_plan.hpp"
#include "file/byte_file.hpp"
#include "file/store_writer.hpp"
#include "memory/host_buffer.hpp"

namespace reelyard::store {
namespace {

constexpr std::int64_t piece_bytes = 16 * mebibyte;
constexpr unsigned most_writers = 8;
constexpr float spread = 0.02F;  // as weights of linear layers have

/// SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
class Generator {
public:
    explicit Generator(std::uint64_t seed) : state_(seed) {}

    std::uint64_t operator()() {
        std::uint64_t z = state_ += 0x9e3779b97f4a7c15U;
        z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
        z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
        return z ^ (z >> 31U);
    }

private:
    std::uint64_t state_;
};

std::uint32_t bits_of(float value, DType dtype) {
    switch (dtype) {
        case DType::float16:
            return c10::Half(value).x;
        case DType::bfloat16:
            return c10::BFloat16(value).x;
        case DType::float32:
            break;
    }
    return std::bit_cast<std::uint32_t>(value);
}

/// Makes values of one type: normally distributed ones from a table, of which twelve random bits
/// choose one. Drawing each value anew would be slower than the disk.
class ValueMaker {
public:
    explicit ValueMaker(DType dtype) : is_wide_(size_of(dtype) == sizeof(float)) {
        std::mt19937_64 random(1);
        std::normal_distribution<float> normal(0.0F, spread);
        std::generate(table_.begin(), table_.end(), [&] { return bits_of(normal(random), dtype); });
    }

    void fill(std::span<std::byte> into, Generator& random) const {
        while (!into.empty()) {
            const std::uint64_t values = is_wide_ ? two_values(random()) : four_values(random());
            const std::size_t bytes = std::min(into.size(), sizeof(values));
            std::memcpy(into.data(), &values, bytes);
            into = into.subspan(bytes);
        }
    }

private:
    static constexpr std::uint64_t index_mask = 0xfffU;

    [[nodiscard]] std::uint64_t at(std::uint64_t index) const {
        return table_[static_cast<std::size_t>(index & index_mask)];
    }
    [[nodiscard]] std::uint64_t four_values(std::uint64_t r) const {
        return at(r) | at(r >> 12U) << 16U | at(r >> 24U) << 32U | at(r >> 36U) << 48U;
    }
    /// The low bits of the mantissas are random as well.
    [[nodiscard]] std::uint64_t two_values(std::uint64_t r) const {
        const std::uint64_t low = at(r) ^ (r >> 12U & index_mask);
        const std::uint64_t high = at(r >> 24U) ^ (r >> 36U & index_mask);
        return low | high << 32U;
    }

    std::array<std::uint32_t, 4096> table_{};
    bool is_wide_;
};

/// Writes tensors one after the other, and puts their checksums into the index.
class TensorWriter {
public:
    TensorWriter(const std::filesystem::path& path, DType dtype)
        : out_(path, ByteFile::Access::write)
        , compute_(dtype)
        , float32_(DType::float32)
        , piece_(piece_bytes) {}

    /// \param offset of the tensor in the file
    void write(StoredTensor& tensor, std::uint64_t seed, std::int64_t offset) {
        const ValueMaker& values = tensor.dtype == DType::float32 ? float32_ : compute_;
        Generator random(seed);
        Checksum sum;
        std::uint32_t crc = 0;
        for (std::int64_t at = 0; at < tensor.bytes; at += piece_bytes) {
            require(!StopSignal::requested(),
                    ErrorKind::stopped,
                    "{}: stopped by a signal; nothing was written",
                    out_.path().string());
            const auto piece = piece_.part(0, std::min(piece_bytes, tensor.bytes - at));
            values.fill(piece, random);
            sum.update(piece);
            crc = crc32(piece, crc);
            out_.write(offset + at, piece);
        }
        tensor.checksum = sum.digest();
        tensor.crc32 = crc;
    }

private:
    ByteFile out_;
    ValueMaker compute_;
    ValueMaker float32_;
    HostBuffer piece_;
};

/// A tensor of the index and where it lies in the file.
struct Item {
    std::uint64_t seed;
    StoredTensor* tensor;
    std::int64_t offset;
};

std::vector<Item> list_items(StoreIndex& index, const StorePlaces& places) {
    std::vector<Item> items;
    for (std::size_t i = 0; i < index.components.size(); ++i) {
        StoredComponent& component = index.components[i];
        for (StoredTensor& tensor : component.tensors) {
            const std::string name = component.name + "/" + tensor.name;
            items.push_back({.seed = checksum(std::as_bytes(std::span(name))),
                             .tensor = &tensor,
                             .offset = places.slabs[i] + tensor.offset});
        }
    }
    return items;
}

/// Several threads, each of which takes the next tensor when it is through with one.
void write_tensors(const std::filesystem::path& path, const std::vector<Item>& items, DType dtype) {
    std::atomic<std::size_t> next = 0;
    const auto work = [&] {
        try {
            TensorWriter writer(path, dtype);
            for (std::size_t i = next++; i < items.size(); i = next++) {
                writer.write(*items[i].tensor, items[i].seed, items[i].offset);
            }
        } catch (...) {
            next = items.size();  // the others need not go on
            throw;
        }
    };
    std::vector<std::future<void>> writers;
    const unsigned count = std::clamp(std::thread::hardware_concurrency(), 1U, most_writers);
    for (unsigned i = 0; i < count; ++i) {
        writers.push_back(std::async(std::launch::async, work));
    }
    for (std::future<void>& writer : writers) {
        writer.get();
    }
}

StoreIndex plan_index(const CheckpointConfig& config, const ModelSpec& model, DType dtype) {
    StoreIndex index{.family = model.family, .files = describe_files(config)};
    index.sources = {{.path = "random weights", .bytes = 0, .checksum = checksum({})}};
    for (const ComponentSpec& spec : model.components) {
        StoredComponent component{.name = spec.name, .class_name = spec.class_name};
        for (const TensorSpec& tensor : spec.tensors) {
            const bool computes = tensor.precision == Precision::compute;
            component.tensors.push_back(stored_form(tensor, computes ? dtype : DType::float32));
        }
        lay_out(component);
        index.components.push_back(std::move(component));
    }
    return index;
}

}  // namespace

void write_random_store(const std::filesystem::path& path,
                        const CheckpointConfig& config,
                        const ModelSpec& model,
                        DType dtype) {
    StoreIndex index = plan_index(config, model, dtype);
    expect_writable(path, index);
    TemporaryFile temporary(partial_path(path));
    const StorePlaces places = create_store(temporary.path(), index);
    write_tensors(temporary.path(), list_items(index, places), dtype);
    finish_store(temporary.path(), places, index, config);
    temporary.commit(path);
}

}  // namespace reelyard::store
