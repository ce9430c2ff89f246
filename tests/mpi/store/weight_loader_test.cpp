#include "reelyard/store/weight_loader.hpp"

#include <fstream>
#include <functional>
#include <string>

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include "reelyard/base/checksum.hpp"
#include "reelyard/base/error.hpp"
#include "reelyard/mpi/communicator.hpp"
#include "reelyard/store/checkpoint/checkpoint_folder.hpp"
#include "reelyard/store/checkpoint/checkpoint_importer.hpp"
#include "reelyard/store/transport/transport.hpp"

#include "shared_folder.hpp"

#include "reelyard/test/tiny_checkpoint.hpp"

namespace reelyard::store {
namespace {

using testing::HasSubstr;

class WeightLoaderTest : public testing::Test {
protected:
    WeightLoaderTest() : checkpoint_(own_folder_.path()) { make_store(std::nullopt); }

    [[nodiscard]] const mpi::Communicator& world() const { return folder_.world(); }

    void make_store(std::optional<DType> dtype) const {
        const mpi::Communicator alone = world().split(world().rank(), 0);
        if (world().rank() == 0) {
            const ImportRequest request{
                .checkpoint = checkpoint_.folder(), .output = folder_ / "m.h5", .dtype = dtype};
            (void)import_checkpoint(request,
                                    read_checkpoint_config(request.checkpoint),
                                    checkpoint_.spec(),
                                    alone,
                                    [](std::int64_t, std::int64_t) {});
        }
        world().barrier();
    }

    [[nodiscard]] LoadedWeights load(const std::string& component,
                                     const LoadOptions& options = {}) const {
        const StoreFile file = StoreFile::open(folder_ / "m.h5", world());
        return load_component(file, checkpoint_.spec().component(component), world(), options);
    }

    /// Flips one byte of the store, in the middle of a tensor. \returns its name with component
    [[nodiscard]] std::string corrupt(const std::string& component, std::size_t number) const {
        const StoreFile file = StoreFile::open(folder_ / "m.h5", world());
        const StoredTensor& tensor = file.index().component(component).tensors.at(number);
        if (world().rank() == 0) {
            std::fstream stream(folder_ / "m.h5", std::ios::in | std::ios::out | std::ios::binary);
            const auto at = file.slab_offset(component) + tensor.offset + tensor.bytes / 2;
            stream.seekg(at);
            const int byte = stream.get();
            stream.seekp(at);
            stream.put(static_cast<char>(byte ^ 0x10));
        }
        world().barrier();
        return component + "/" + tensor.name;
    }

    test::SharedFolder folder_;
    test::TemporaryFolder own_folder_;
    test::TinyCheckpoint checkpoint_;
};

TEST_F(WeightLoaderTest, gives_every_rank_the_tensors_of_the_checkpoint) {
    for (const auto& [component, tensors] : checkpoint_.tensors()) {
        const LoadedWeights loaded = load(component);

        ASSERT_EQ(loaded.weights.names().size(), tensors.size());
        for (const auto& [name, expected] : tensors) {
            const at::Tensor found = loaded.weights.get(name);
            EXPECT_EQ(found.scalar_type(), at::kFloat) << name;
            EXPECT_TRUE(at::equal(found, expected)) << name;
        }
    }
}

TEST_F(WeightLoaderTest, reads_each_byte_once_over_all_ranks) {
    for (const auto& [component, tensors] : checkpoint_.tensors()) {
        std::int64_t expected = 0;
        for (const auto& [name, tensor] : tensors) {
            expected += static_cast<std::int64_t>(tensor.nbytes());
        }

        const LoadReport report = load(component).report;

        EXPECT_EQ(report.bytes_used, expected) << component;
        const std::int64_t read = world().sum(report.bytes_read);
        EXPECT_GE(read, expected) << component;
        // Padding between tensors comes along: less than 64 bytes each, a page for a large one.
        const auto padding = static_cast<std::int64_t>(64 * tensors.size()) + 4096;
        EXPECT_LE(read, expected + padding) << component;
    }
}

TEST_F(WeightLoaderTest, shares_the_reading_evenly) {
    const LoadReport report = load("transformer").report;

    const std::int64_t share = report.bytes_used / world().size();
    EXPECT_NEAR(static_cast<double>(report.bytes_read), static_cast<double>(share), 4096.0 * 2);
}

TEST_F(WeightLoaderTest, views_one_buffer_when_nothing_is_converted) {
    const LoadedWeights loaded = load("vae");

    const at::Tensor first = loaded.weights.get("decoder.conv.bias");
    const at::Tensor second = loaded.weights.get("decoder.conv.weight");
    const auto* begin = static_cast<const std::byte*>(first.const_data_ptr());
    EXPECT_EQ(static_cast<const std::byte*>(second.const_data_ptr()) - begin, 64);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(begin) % 4096, 0U);
}

TEST_F(WeightLoaderTest, gives_column_split_weights_as_views_with_swapped_strides) {
    const at::Tensor weight = load("transformer").weights.get("large.weight");

    EXPECT_THAT(weight.sizes().vec(), testing::ElementsAre(700, 800));
    EXPECT_THAT(weight.strides().vec(), testing::ElementsAre(1, 700));
    // Any slice of the input features is one run of memory.
    EXPECT_TRUE(weight.narrow(1, 123, 77).t().is_contiguous());
}

TEST_F(WeightLoaderTest, keeps_tensors_alive_without_the_set) {
    at::Tensor weight;
    { weight = load("transformer").weights.get("blocks.10.to_out.weight"); }

    EXPECT_TRUE(
        at::equal(weight, checkpoint_.tensors().at("transformer").at("blocks.10.to_out.weight")));
}

TEST_F(WeightLoaderTest, converts_to_the_compute_type_but_keeps_float32_islands) {
    const LoadedWeights loaded = load("transformer", {.compute = DType::bfloat16});

    for (const auto& [name, expected] : checkpoint_.tensors().at("transformer")) {
        const bool is_norm = name.find("norm") != std::string::npos;
        const at::Tensor found = loaded.weights.get(name);
        EXPECT_EQ(found.scalar_type(), is_norm ? at::kFloat : at::kBFloat16) << name;
        EXPECT_TRUE(at::equal(found, expected.to(found.scalar_type()))) << name;
    }
}

TEST_F(WeightLoaderTest, widens_what_was_stored_narrow) {
    make_store(DType::bfloat16);

    const LoadedWeights loaded = load("transformer");

    for (const auto& [name, original] : checkpoint_.tensors().at("transformer")) {
        const bool is_norm = name.find("norm") != std::string::npos;
        const at::Tensor expected = is_norm ? original : original.to(at::kBFloat16).to(at::kFloat);
        EXPECT_TRUE(at::equal(loaded.weights.get(name), expected)) << name;
        EXPECT_EQ(loaded.weights.get(name).scalar_type(), at::kFloat) << name;
    }
}

TEST_F(WeightLoaderTest, reads_only_what_is_wanted) {
    const auto is_decoder = [](const std::string& name) {
        return name.find("decoder.") == 0 || name.find("post_quant_conv.") == 0;
    };

    const LoadedWeights loaded = load("vae", {.wanted = is_decoder});

    EXPECT_THAT(loaded.weights.names(),
                testing::ElementsAre("decoder.conv.bias",
                                     "decoder.conv.weight",
                                     "post_quant_conv.bias",
                                     "post_quant_conv.weight"));
    for (const std::string& name : loaded.weights.names()) {
        EXPECT_TRUE(at::equal(loaded.weights.get(name), checkpoint_.tensors().at("vae").at(name)));
    }
    const std::int64_t one = (16 + 16 * 16 * 27) * 4;
    EXPECT_EQ(loaded.report.bytes_used, 2 * one);
    EXPECT_LE(world().sum(loaded.report.bytes_read), 2 * one + 256);
}

TEST_F(WeightLoaderTest, gives_all_ranks_the_same_bits) {
    const LoadedWeights loaded = load("transformer", {.compute = DType::bfloat16});

    Checksum sum;
    for (const std::string& name : loaded.weights.names()) {
        const at::Tensor tensor = loaded.weights.get(name).contiguous();
        sum.update({static_cast<const std::byte*>(tensor.const_data_ptr()), tensor.nbytes()});
    }
    const std::string own = to_hex(sum.digest());
    EXPECT_EQ(own, world().broadcast_text(own, 0));
}

TEST_F(WeightLoaderTest, names_the_tensor_whose_bytes_changed) {
    EXPECT_NO_THROW((void)load("transformer", {.verify = true}));
    const std::string bad = corrupt("transformer", 5);

    EXPECT_NO_THROW((void)load("transformer"));
    try {
        (void)load("transformer", {.verify = true});
        FAIL() << "a changed byte was not seen";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::input);
        EXPECT_THAT("transformer/" + std::string(error.what()), HasSubstr(bad.substr(12)));
    }
}

TEST_F(WeightLoaderTest, finds_all_corrupted_tensors_of_a_store) {
    std::int64_t done = 0;
    std::int64_t total = 0;
    const auto progress = [&](std::int64_t done_bytes, std::int64_t total_bytes) {
        done = done_bytes;
        total = total_bytes;
    };
    {
        const StoreFile file = StoreFile::open(folder_ / "m.h5", world());
        EXPECT_TRUE(find_corrupted_tensors(file, world(), progress).empty());
        EXPECT_EQ(done, total);
        EXPECT_GT(total, 0);
    }
    const std::string first = corrupt("transformer", 0);
    const std::string second = corrupt("vae", 3);

    const StoreFile file = StoreFile::open(folder_ / "m.h5", world());
    EXPECT_THAT(find_corrupted_tensors(file, world(), progress),
                testing::UnorderedElementsAre(first, second));
}

TEST_F(WeightLoaderTest, refuses_a_store_that_does_not_fit_the_model) {
    ComponentSpec spec = checkpoint_.spec().component("vae");
    spec.tensors[0].shape = {16, 16, 3, 3, 1};
    const StoreFile file = StoreFile::open(folder_ / "m.h5", world());
    const auto message = [&] {
        try {
            (void)load_component(file, spec, world(), {});
            return std::string();
        } catch (const Error& error) {
            return std::string(error.what());
        }
    };
    EXPECT_THAT(message(), HasSubstr("'encoder.conv.weight' has shape [16, 16, 3, 3, 3]"));

    spec = checkpoint_.spec().component("vae");
    spec.tensors[0].name = "other";
    EXPECT_THAT(message(), HasSubstr("'other'"));
    spec.name = "image_encoder";
    EXPECT_THAT(message(), HasSubstr("no component 'image_encoder'"));
}

TEST_F(WeightLoaderTest, knows_its_transports_by_name) {
    const StoreFile file = StoreFile::open(folder_ / "m.h5", world());

    EXPECT_THAT(transport_names(), testing::Contains("collective"));
    EXPECT_THROW((void)make_transport("pigeon", file, world()), Error);
}

}  // namespace
}  // namespace reelyard::store
