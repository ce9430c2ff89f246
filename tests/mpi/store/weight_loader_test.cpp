#include "reelyard/store/weight_loader.hpp"

#include <fstream>
#include <functional>
#include <string>

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include "reelyard/base/bytes.hpp"
#include "reelyard/base/checksum.hpp"
#include "reelyard/base/error.hpp"
#include "reelyard/mpi/communicator.hpp"
#include "reelyard/store/checkpoint/checkpoint_folder.hpp"
#include "reelyard/store/checkpoint/checkpoint_importer.hpp"
#include "reelyard/store/transport/transport.hpp"

#include "reelyard/test/shared_folder.hpp"
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

    /// A way to get weights from the disk into memory.
    struct Way {
        std::string name;
        LoadOptions options;
    };

    [[nodiscard]] static std::vector<Way> all_ways() {
        std::vector<Way> ways;
        for (const std::string transport : {"collective", "direct"}) {
            for (const auto memory :
                 {HostMemory::shared, HostMemory::own_copy, HostMemory::passing}) {
                for (const int ranks_per_node : {0, 1, 2}) {
                    ways.push_back({.name = transport + ", memory " +
                                            std::to_string(static_cast<int>(memory)) + ", " +
                                            std::to_string(ranks_per_node) + " ranks per node",
                                    .options = {.transport = transport,
                                                .host_memory = memory,
                                                .ranks_per_node = ranks_per_node,
                                                .piece_bytes = 64 * kibibyte}});
                }
            }
        }
        return ways;
    }

    /// Bytes between tensors that are read with them: less than 64 each, a page for a large one.
    [[nodiscard]] static std::int64_t padding_of(std::size_t tensors) {
        return static_cast<std::int64_t>(64 * tensors) + 2 * 4096;
    }

    [[nodiscard]] at::Tensor slice_of(const TensorSpec& spec, Shard shard) const {
        const at::Tensor whole = checkpoint_.tensors().at("transformer").at(spec.name);
        if (spec.split == Split::none) {
            return whole;
        }
        const std::int64_t axis = spec.split == Split::rows ? 0 : 1;
        const std::int64_t begin = whole.size(axis) * shard.index / shard.degree;
        const std::int64_t end = whole.size(axis) * (shard.index + 1) / shard.degree;
        return whole.narrow(axis, begin, end - begin);
    }

    /// The whole block on every rank of its shard group.
    [[nodiscard]] static at::Tensor gathered(const BlockShard& block,
                                             const mpi::Communicator& group) {
        at::Tensor whole = at::zeros({block.cuts.back()}, at::kByte);
        const std::int64_t begin = block.cuts[static_cast<std::size_t>(group.rank())];
        whole.narrow(0, begin, block.part.numel()).copy_(block.part);
        group.all_gather_in_place(
            {static_cast<std::byte*>(whole.data_ptr()), static_cast<std::size_t>(whole.numel())},
            block.cuts);
        return whole;
    }
    [[nodiscard]] at::Tensor gathered(const BlockShard& block) const {
        return gathered(block, world());
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
        EXPECT_LE(read, expected + padding_of(tensors.size())) << component;
    }
}

TEST_F(WeightLoaderTest, shares_the_reading_evenly) {
    const LoadReport report = load("transformer").report;

    const std::int64_t share = report.bytes_used / world().size();
    // Rounds are eight at least, and in the last one some ranks have nothing.
    EXPECT_NEAR(static_cast<double>(report.bytes_read),
                static_cast<double>(share),
                static_cast<double>(share) / 7.0 + 4096.0);
}

TEST_F(WeightLoaderTest, gives_the_same_weights_however_they_are_read) {
    for (const Way& way : all_ways()) {
        const LoadedWeights loaded = load("transformer", way.options);

        for (const auto& [name, expected] : checkpoint_.tensors().at("transformer")) {
            EXPECT_TRUE(at::equal(loaded.weights.get(name), expected)) << name << ": " << way.name;
        }
        const std::int64_t read = world().sum(loaded.report.bytes_read);
        EXPECT_GE(read, loaded.report.bytes_used) << way.name;
        EXPECT_LE(read, loaded.report.bytes_used + padding_of(loaded.weights.names().size()))
            << way.name;
    }
}

TEST_F(WeightLoaderTest, shares_one_copy_on_a_node_unless_told_otherwise) {
    const LoadedWeights shared = load("transformer");
    const LoadedWeights own = load("transformer", {.host_memory = HostMemory::own_copy});

    EXPECT_EQ(shared.report.shared_host_copy, world().size() > 1);
    EXPECT_FALSE(own.report.shared_host_copy);
    // What one rank writes into shared memory, the others see.
    const auto seen_by_others = [&](const LoadedWeights& loaded) {
        at::Tensor weight = loaded.weights.get("large.weight");
        world().barrier();
        if (world().rank() == 0) {
            weight.fill_(42.0F);
        }
        world().barrier();
        return weight.min().item<float>() == 42.0F;
    };
    const bool is_writer = world().rank() == 0;
    EXPECT_EQ(seen_by_others(own), is_writer);
    EXPECT_TRUE(seen_by_others(shared));
}

TEST_F(WeightLoaderTest, receives_from_other_nodes_what_they_have_read) {
    const int nodes = (world().size() + 1) / 2;

    const LoadReport report = load("vae", {.ranks_per_node = 2}).report;

    // Each node reads an equal part and receives the rest.
    const std::int64_t received = world().sum(report.bytes_exchanged);
    EXPECT_NEAR(static_cast<double>(received),
                static_cast<double>((nodes - 1) * report.bytes_used),
                4096.0 * nodes);
}

TEST_F(WeightLoaderTest, gives_each_rank_its_slice_for_any_degree) {
    for (const int degree : {1, 2, 3, 4, 5, 7, 16, 31, 64}) {
        for (const Way& way : all_ways()) {
            LoadOptions options = way.options;
            options.tensor_parallel = {.degree = degree, .index = world().rank() % degree};
            const LoadedWeights loaded = load("transformer", options);

            for (const TensorSpec& spec : checkpoint_.spec().component("transformer").tensors) {
                EXPECT_TRUE(at::equal(loaded.weights.get(spec.name),
                                      slice_of(spec, options.tensor_parallel)))
                    << spec.name << ", degree " << degree << ": " << way.name;
            }
            EXPECT_LE(world().sum(loaded.report.bytes_read),
                      loaded.report.bytes_used + padding_of(loaded.weights.names().size()))
                << "degree " << degree << ": " << way.name;
        }
    }
}

TEST_F(WeightLoaderTest, reads_slices_once_over_all_ranks) {
    const Shard shard{.degree = world().size(), .index = world().rank()};
    std::int64_t whole = 0;
    for (const auto& [name, tensor] : checkpoint_.tensors().at("transformer")) {
        whole += static_cast<std::int64_t>(tensor.nbytes());
    }

    const LoadReport report = load("transformer", {.tensor_parallel = shard}).report;

    EXPECT_EQ(report.bytes_used, whole);
    EXPECT_GE(world().sum(report.bytes_read), whole);
}

TEST_F(WeightLoaderTest, keeps_heads_together_where_slices_have_a_unit) {
    ComponentSpec spec = checkpoint_.spec().component("transformer");
    for (TensorSpec& tensor : spec.tensors) {
        tensor.split_unit = tensor.name == "blocks.0.to_q.weight" ? 12 : 1;
    }
    const StoreFile file = StoreFile::open(folder_ / "m.h5", world());

    // Four heads of width 12 over three ranks: 1, 1 and 2 of them.
    const Shard shard{.degree = 3, .index = world().rank() % 3};
    const LoadedWeights loaded = load_component(file, spec, world(), {.tensor_parallel = shard});

    const std::vector<std::int64_t> heads{1, 1, 2};
    EXPECT_EQ(loaded.weights.get("blocks.0.to_q.weight").size(0),
              12 * heads[static_cast<std::size_t>(shard.index)]);
}

TEST_F(WeightLoaderTest, deals_out_blocks_that_gather_to_what_was_stored) {
    if (world().size() == 1) {
        GTEST_SKIP() << "one rank keeps everything";
    }
    for (const DType compute : {DType::float32, DType::bfloat16}) {
        for (const Way& way : all_ways()) {
            LoadOptions options = way.options;
            options.compute = compute;
            options.weight_shard = {.degree = world().size(), .index = world().rank()};
            const LoadedWeights loaded = load("transformer", options);

            ASSERT_EQ(loaded.blocks.size(), 3U);
            EXPECT_THAT(loaded.weights.names(),
                        testing::ElementsAre("large.weight", "patch.weight"));
            for (const BlockShard& block : loaded.blocks) {
                const WeightSet tensors = tensors_of(block, "transformer", gathered(block));
                ASSERT_EQ(tensors.names().size(), 4U);
                for (const std::string& name : tensors.names()) {
                    const at::Tensor found = tensors.get(name);
                    const at::Tensor expected =
                        checkpoint_.tensors().at("transformer").at(name).to(found.scalar_type());
                    EXPECT_TRUE(at::equal(found, expected)) << name << ": " << way.name;
                }
            }
            EXPECT_LE(world().sum(loaded.report.bytes_read),
                      loaded.report.bytes_used + padding_of(14))
                << way.name;
        }
    }
}

TEST_F(WeightLoaderTest, shards_weights_within_tensor_parallel_slices) {
    if (world().size() % 2 != 0) {
        GTEST_SKIP() << "needs an even number of ranks";
    }
    LoadOptions options{
        .tensor_parallel = {.degree = 2, .index = world().rank() % 2},
        .weight_shard = {.degree = world().size() / 2, .index = world().rank() / 2}};
    const LoadedWeights loaded = load("transformer", options);
    const mpi::Communicator shard_group = world().split(world().rank() % 2, world().rank());

    for (const BlockShard& block : loaded.blocks) {
        const WeightSet tensors = tensors_of(block, "transformer", gathered(block, shard_group));
        for (const TensorSpec& spec : checkpoint_.spec().component("transformer").tensors) {
            if (tensors.contains(spec.name)) {
                EXPECT_TRUE(
                    at::equal(tensors.get(spec.name), slice_of(spec, options.tensor_parallel)))
                    << spec.name;
            }
        }
    }
    EXPECT_LE(world().sum(loaded.report.bytes_read), loaded.report.bytes_used + padding_of(14));
}

TEST_F(WeightLoaderTest, says_which_transport_was_used_and_why) {
    EXPECT_EQ(load("vae", {.transport = "collective"}).report.transport, "collective");
    EXPECT_EQ(load("vae", {.transport = "direct"}).report.transport_reason, "asked for");
    EXPECT_THAT(load("vae").report.transport_reason, HasSubstr("file system"));
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

    EXPECT_NO_THROW((void)load("transformer", {.verify = false}));
    for (const Way& way : all_ways()) {
        for (const DType compute : {DType::float32, DType::bfloat16}) {
            LoadOptions options = way.options;
            options.compute = compute;
            options.tensor_parallel = {.degree = world().size(), .index = world().rank()};
            try {
                (void)load("transformer", options);
                FAIL() << "a changed byte was not seen: " << way.name;
            } catch (const Error& error) {
                EXPECT_EQ(error.kind(), ErrorKind::input);
                EXPECT_THAT(error.what(), HasSubstr(": " + bad + ";")) << way.name;
            }
        }
    }
}

TEST_F(WeightLoaderTest, passes_over_tensors_that_no_rank_reads_whole) {
    (void)corrupt("transformer", 5);
    const Shard shard{.degree = 2 * world().size(), .index = world().rank()};

    EXPECT_NO_THROW((void)load("transformer", {.tensor_parallel = shard, .verify = true}));
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
    EXPECT_THAT(transport_names(), testing::ElementsAre("auto", "collective", "direct"));
    EXPECT_THROW((void)load("vae", {.transport = "pigeon"}), Error);
}

}  // namespace
}  // namespace reelyard::store
