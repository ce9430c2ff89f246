#include "reelyard/store/checkpoint/random_store.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <sys/resource.h>

#include "reelyard/base/error.hpp"
#include "reelyard/base/file_system.hpp"
#include "reelyard/store/checkpoint/checkpoint_folder.hpp"
#include "reelyard/store/checkpoint/checkpoint_importer.hpp"
#include "reelyard/store/store_file.hpp"
#include "reelyard/store/weight_loader.hpp"

#include "reelyard/test/shared_folder.hpp"
#include "reelyard/test/tiny_checkpoint.hpp"

namespace reelyard::store {
namespace {

using testing::IsEmpty;

class RandomStoreTest : public testing::Test {
protected:
    [[nodiscard]] const mpi::Communicator& world() const { return folder_.world(); }
    [[nodiscard]] std::filesystem::path path() const { return folder_ / "random.h5"; }

    StoreFile write(DType dtype) const {
        write_random_store(path(), config_, checkpoint_.spec(), dtype);
        return StoreFile::open(path(), world());
    }

    /// The bytes of a tensor as they lie in the file.
    [[nodiscard]] std::string content(const StoreFile& file,
                                      const std::string& component,
                                      const StoredTensor& tensor) const {
        std::string bytes(static_cast<std::size_t>(tensor.bytes), '\0');
        std::ifstream in(path(), std::ios::binary);
        in.seekg(file.slab_offset(component) + tensor.offset);
        in.read(bytes.data(), tensor.bytes);
        EXPECT_TRUE(in.good());
        return bytes;
    }

    test::SharedFolder folder_;
    test::TinyCheckpoint checkpoint_{folder_ / "checkpoint"};
    CheckpointConfig config_ = read_checkpoint_config(folder_ / "checkpoint");
};

/// The values of float32 or bfloat16 bytes.
std::vector<float> to_values(const std::string& bytes, DType dtype) {
    const auto width = static_cast<std::size_t>(size_of(dtype));
    std::vector<float> values;
    for (std::size_t at = 0; at < bytes.size(); at += width) {
        std::uint32_t bits = 0;
        std::memcpy(&bits, bytes.data() + at, width);
        values.push_back(std::bit_cast<float>(width == 2 ? bits << 16U : bits));
    }
    return values;
}

TEST_F(RandomStoreTest, is_laid_out_as_an_imported_checkpoint_of_that_type) {
    const ImportRequest request{.checkpoint = folder_ / "checkpoint",
                                .output = folder_ / "imported.h5",
                                .dtype = DType::bfloat16};
    (void)import_checkpoint(
        request, config_, checkpoint_.spec(), world(), [](std::int64_t, std::int64_t) {});
    const StoreFile imported = StoreFile::open(request.output, world());

    const StoreFile random = write(DType::bfloat16);

    ASSERT_EQ(random.index().components.size(), imported.index().components.size());
    EXPECT_EQ(random.config().files, imported.config().files);
    for (const StoredComponent& expected : imported.index().components) {
        const StoredComponent& found = random.index().component(expected.name);
        EXPECT_EQ(found.class_name, expected.class_name);
        EXPECT_EQ(found.slab_bytes, expected.slab_bytes);
        ASSERT_EQ(found.tensors.size(), expected.tensors.size());
        for (std::size_t i = 0; i < expected.tensors.size(); ++i) {
            EXPECT_EQ(found.tensors[i].name, expected.tensors[i].name);
            EXPECT_EQ(found.tensors[i].shape, expected.tensors[i].shape);
            EXPECT_EQ(found.tensors[i].dtype, expected.tensors[i].dtype);
            EXPECT_EQ(found.tensors[i].transposed, expected.tensors[i].transposed);
            EXPECT_EQ(found.tensors[i].offset, expected.tensors[i].offset);
        }
    }
}

TEST_F(RandomStoreTest, agrees_with_its_checksums) {
    for (const DType dtype : {DType::float32, DType::float16, DType::bfloat16}) {
        const StoreFile file = write(dtype);

        EXPECT_THAT(find_corrupted_tensors(file, world(), [](std::int64_t, std::int64_t) {}),
                    IsEmpty());
        for (const StoredComponent& component : file.index().components) {
            for (const StoredTensor& tensor : component.tensors) {
                EXPECT_TRUE(tensor.crc32.has_value()) << tensor.name;
            }
        }
    }
}

TEST_F(RandomStoreTest, holds_finite_values_about_as_large_as_weights) {
    const StoreFile file = write(DType::bfloat16);
    for (const StoredComponent& component : file.index().components) {
        for (const StoredTensor& tensor : component.tensors) {
            double squares = 0.0;
            const auto values = to_values(content(file, component.name, tensor), tensor.dtype);
            for (const float value : values) {
                ASSERT_TRUE(std::isfinite(value)) << tensor.name;
                ASSERT_LT(std::abs(value), 1.0F) << tensor.name;
                squares += static_cast<double>(value) * value;
            }
            const double rms = std::sqrt(squares / static_cast<double>(values.size()));
            EXPECT_GT(rms, 0.005) << tensor.name;
            EXPECT_LT(rms, 0.05) << tensor.name;
        }
    }
}

TEST_F(RandomStoreTest, holds_different_bytes_in_every_tensor_and_the_same_each_time) {
    const StoreFile file = write(DType::float32);
    std::set<std::string> seen;
    std::size_t count = 0;
    for (const StoredComponent& component : file.index().components) {
        for (const StoredTensor& tensor : component.tensors) {
            seen.insert(content(file, component.name, tensor).substr(0, 16));
            ++count;
        }
    }
    EXPECT_EQ(seen.size(), count);

    EXPECT_EQ(write(DType::float32).fingerprint(), file.fingerprint());
}

// Few enough repeated eight-byte words that no disk could store them shorter.
TEST_F(RandomStoreTest, repeats_nothing) {
    const StoreFile file = write(DType::bfloat16);
    const auto& tensors = file.index().component("transformer").tensors;
    const auto large = std::find_if(
        tensors.begin(), tensors.end(), [](const auto& t) { return t.name == "large.weight"; });
    const std::string bytes = content(file, "transformer", *large);
    std::set<std::string> words;
    for (std::size_t at = 0; at + 8 <= bytes.size(); at += 8) {
        words.insert(bytes.substr(at, 8));
    }
    EXPECT_GT(words.size(), bytes.size() / 8 * 99 / 100);
}

TEST_F(RandomStoreTest, leaves_nothing_when_there_is_no_room) {
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    getrlimit(RLIMIT_FSIZE, &before);
    for (const rlim_t limit : {rlim_t{1000}, rlim_t{1'200'000}}) {
        const rlimit small{.rlim_cur = limit, .rlim_max = before.rlim_max};
        setrlimit(RLIMIT_FSIZE, &small);
        try {
            write_random_store(path(), config_, checkpoint_.spec(), DType::float32);
            ADD_FAILURE() << "written within " << limit << " bytes";
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::resources) << error.what();
            EXPECT_THAT(error.what(), testing::HasSubstr("random.h5"));
        }
        setrlimit(RLIMIT_FSIZE, &before);
        EXPECT_EQ(posix_file_system().list(folder_ / ""), std::vector<std::string>{"checkpoint"});
    }
}

TEST_F(RandomStoreTest, refuses_a_folder_that_is_not_there) {
    EXPECT_THROW(
        write_random_store(folder_ / "none" / "m.h5", config_, checkpoint_.spec(), DType::float32),
        Error);
}

}  // namespace
}  // namespace reelyard::store
