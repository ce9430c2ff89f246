#include "reelyard/store/checkpoint/checkpoint_importer.hpp"

#include <csignal>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <sys/resource.h>

#include "reelyard/base/checksum.hpp"
#include "reelyard/base/error.hpp"
#include "reelyard/base/file_system.hpp"
#include "reelyard/mpi/communicator.hpp"
#include "reelyard/store/checkpoint/checkpoint_folder.hpp"
#include "reelyard/store/store_file.hpp"

#include "reelyard/test/shared_folder.hpp"
#include "reelyard/test/tiny_checkpoint.hpp"

namespace reelyard::store {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class CheckpointImporterTest : public testing::Test {
protected:
    CheckpointImporterTest() {
        on_root([&] { checkpoint_.emplace(folder_ / "checkpoint"); });
        // The other ranks need the spec, not the files.
        if (!checkpoint_) {
            checkpoint_.emplace(own_folder_.path());
        }
        spec_ = checkpoint_->spec();
    }

    void on_root(const std::function<void()>& body) const {
        if (world().rank() == 0) {
            body();
        }
        world().barrier();
    }

    [[nodiscard]] const mpi::Communicator& world() const { return folder_.world(); }

    /// Replaces the file of a component that is not sharded.
    void replace(const std::string& file, const test::TinyCheckpoint::Tensors& tensors) const {
        on_root([&] { write_tensors(folder_ / "checkpoint" / file, tensors); });
    }

    ImportReport import(std::optional<DType> dtype = std::nullopt) const {
        const ImportRequest request{
            .checkpoint = folder_ / "checkpoint", .output = folder_ / "m.h5", .dtype = dtype};
        const CheckpointConfig config = read_checkpoint_config(request.checkpoint);
        return import_checkpoint(
            request, config, spec_, world(), [](std::int64_t, std::int64_t) {});
    }

    /// The message with which the import fails on this rank; nothing is left of it.
    std::string refusal(ErrorKind kind = ErrorKind::input) const {
        std::string message;
        try {
            (void)import();
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), kind) << error.what();
            EXPECT_TRUE(error.is_shared());
            message = error.what();
        }
        world().barrier();
        EXPECT_EQ(posix_file_system().list(folder_ / ""), std::vector<std::string>{"checkpoint"});
        world().barrier();
        return message;
    }

    test::SharedFolder folder_;
    test::TemporaryFolder own_folder_;
    std::optional<test::TinyCheckpoint> checkpoint_;
    ModelSpec spec_;
};

std::string content(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

TEST_F(CheckpointImporterTest, embeds_configs_and_says_where_all_came_from) {
    const ImportReport report = import();

    const StoreFile file = StoreFile::open(folder_ / "m.h5", world());
    EXPECT_EQ(file.index().family, "tiny");
    EXPECT_EQ(file.config().files, read_checkpoint_config(folder_ / "checkpoint").files);
    ASSERT_EQ(file.index().sources.size(), 4U);
    for (const StoredFile& source : file.index().sources) {
        const auto path = folder_ / "checkpoint" / source.path;
        EXPECT_EQ(source.bytes, static_cast<std::int64_t>(std::filesystem::file_size(path)));
        EXPECT_EQ(to_hex(source.checksum), file_checksum(path)) << source.path;
    }
    EXPECT_EQ(report.tensors, 14 + 2 + 8);
    EXPECT_EQ(report.bytes_written,
              static_cast<std::int64_t>(std::filesystem::file_size(folder_ / "m.h5")));
    EXPECT_EQ(posix_file_system().list(folder_ / ""),
              (std::vector<std::string>{"checkpoint", "m.h5"}));
}

TEST_F(CheckpointImporterTest, gives_the_same_bytes_on_any_number_of_ranks) {
    (void)import();
    const std::string together = content(folder_ / "m.h5");

    const mpi::Communicator alone = world().split(world().rank(), 0);
    const ImportRequest request{.checkpoint = folder_ / "checkpoint",
                                .output = own_folder_ / "m.h5"};
    (void)import_checkpoint(request,
                            read_checkpoint_config(request.checkpoint),
                            spec_,
                            alone,
                            [](std::int64_t, std::int64_t) {});

    EXPECT_TRUE(content(own_folder_ / "m.h5") == together);
}

TEST_F(CheckpointImporterTest, aligns_slabs_in_the_file) {
    (void)import();

    const StoreFile file = StoreFile::open(folder_ / "m.h5", world());
    for (const StoredComponent& component : file.index().components) {
        EXPECT_EQ(file.slab_offset(component.name) % 4096, 0) << component.name;
        EXPECT_EQ(component.slab_bytes % 4096, 0) << component.name;
    }
}

TEST_F(CheckpointImporterTest, leaves_kept_tensors_alone_whatever_the_dtype) {
    (void)import(DType::bfloat16);

    const StoreFile file = StoreFile::open(folder_ / "m.h5", world());
    for (const StoredTensor& tensor : file.index().component("transformer").tensors) {
        const bool is_norm = tensor.name.find("norm") != std::string::npos;
        EXPECT_EQ(tensor.dtype, is_norm ? DType::float32 : DType::bfloat16) << tensor.name;
    }
    for (const StoredTensor& tensor : file.index().component("vae").tensors) {
        EXPECT_EQ(tensor.dtype, DType::float32) << tensor.name;
    }
}

TEST_F(CheckpointImporterTest, reports_progress_up_to_the_whole) {
    std::vector<std::int64_t> seen;
    std::int64_t whole = 0;
    const ImportRequest request{.checkpoint = folder_ / "checkpoint", .output = folder_ / "m.h5"};

    (void)import_checkpoint(request,
                            read_checkpoint_config(request.checkpoint),
                            spec_,
                            world(),
                            [&](std::int64_t done, std::int64_t total) {
                                seen.push_back(done);
                                whole = total;
                            });

    ASSERT_FALSE(seen.empty());
    EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
    EXPECT_EQ(seen.back(), whole);
}

TEST_F(CheckpointImporterTest, replaces_an_older_store_and_keeps_it_when_it_fails) {
    (void)import();
    const std::string before = content(folder_ / "m.h5");
    const auto victim = folder_ / "checkpoint" / "vae/diffusion_pytorch_model.safetensors";
    on_root([&] { std::filesystem::resize_file(victim, 1000); });

    EXPECT_THROW((void)import(), Error);

    EXPECT_TRUE(content(folder_ / "m.h5") == before);
}

TEST_F(CheckpointImporterTest, takes_an_alias_alone_for_the_tensor) {
    auto tensors = checkpoint_->tensors().at("text_encoder");
    tensors["embed_tokens.weight"] = tensors["shared.weight"];
    tensors.erase("shared.weight");
    replace("text_encoder/model.safetensors", tensors);

    (void)import();

    const StoreFile file = StoreFile::open(folder_ / "m.h5", world());
    const auto& stored = file.index().component("text_encoder").tensors;
    ASSERT_EQ(stored.size(), 2U);
    EXPECT_EQ(stored[1].name, "shared.weight");
}

TEST_F(CheckpointImporterTest, lists_every_tensor_that_does_not_fit) {
    auto tensors = checkpoint_->tensors().at("text_encoder");
    tensors["block.0.wo.weight"] = at::zeros({20, 51});
    tensors["surplus.weight"] = at::zeros({3});
    tensors.erase("shared.weight");
    replace("text_encoder/model.safetensors", tensors);

    EXPECT_THAT(refusal(),
                AllOf(HasSubstr("text_encoder/model.safetensors: tensor 'block.0.wo.weight' has "
                                "shape [20, 51] (expected [20, 50]"),
                      HasSubstr("text_encoder/model.safetensors: tensor 'surplus.weight' is "
                                "unexpected"),
                      HasSubstr("text_encoder: tensor 'shared.weight' is missing")));
}

TEST_F(CheckpointImporterTest, refuses_dtypes_that_weights_do_not_have) {
    auto tensors = checkpoint_->tensors().at("text_encoder");
    tensors["shared.weight"] = tensors["shared.weight"].to(at::kDouble);
    replace("text_encoder/model.safetensors", tensors);

    EXPECT_THAT(refusal(), HasSubstr("tensor 'shared.weight' has dtype F64"));
}

TEST_F(CheckpointImporterTest, refuses_a_tensor_that_two_shards_hold) {
    auto tensors = checkpoint_->tensors().at("transformer");
    replace("transformer/shard-2.safetensors", tensors);

    EXPECT_THAT(refusal(), AllOf(HasSubstr("'blocks.0.to_q.weight' is in"), HasSubstr("shard-1")));
}

TEST_F(CheckpointImporterTest, refuses_truncated_and_missing_files) {
    on_root([&] {
        std::filesystem::resize_file(folder_ / "checkpoint" / "transformer/shard-2.safetensors",
                                     5000);
    });
    EXPECT_THAT(refusal(), AllOf(HasSubstr("shard-2.safetensors"), HasSubstr("tensor '")));

    on_root([&] {
        std::filesystem::remove(folder_ / "checkpoint" / "transformer/shard-2.safetensors");
    });
    EXPECT_THAT(refusal(), HasSubstr("shard-2.safetensors: no such file"));

    on_root([&] { std::filesystem::remove_all(folder_ / "checkpoint" / "transformer"); });
    std::string message;
    try {
        (void)import();
    } catch (const Error& error) {
        message = error.what();
    }
    EXPECT_THAT(message, HasSubstr("has no folder 'transformer'"));
}

TEST_F(CheckpointImporterTest, refuses_values_that_float16_cannot_hold) {
    auto tensors = checkpoint_->tensors().at("text_encoder");
    tensors["shared.weight"][7][3] = 70000.0;
    replace("text_encoder/model.safetensors", tensors);

    std::string message;
    try {
        (void)import(DType::float16);
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::input);
        message = error.what();
    }

    EXPECT_THAT(message, AllOf(HasSubstr("'shared.weight'"), HasSubstr("range of float16")));
    EXPECT_THAT(message, HasSubstr("model.safetensors"));
}

TEST_F(CheckpointImporterTest, refuses_an_output_that_cannot_be_written) {
    const ImportRequest request{.checkpoint = folder_ / "checkpoint",
                                .output = folder_ / "none" / "m.h5"};
    const CheckpointConfig config = read_checkpoint_config(request.checkpoint);

    EXPECT_THROW(
        (void)import_checkpoint(request, config, spec_, world(), [](std::int64_t, std::int64_t) {}),
        Error);
}

/// While it lives, files cannot grow beyond a size: as on a full disk, writing fails part-way.
class FileSizeLimit {
public:
    explicit FileSizeLimit(rlim_t bytes) {
        std::signal(SIGXFSZ, SIG_IGN);
        getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit limit{.rlim_cur = bytes, .rlim_max = before_.rlim_max};
        setrlimit(RLIMIT_FSIZE, &limit);
    }
    ~FileSizeLimit() { setrlimit(RLIMIT_FSIZE, &before_); }
    FileSizeLimit(const FileSizeLimit&) = delete;
    FileSizeLimit& operator=(const FileSizeLimit&) = delete;

private:
    rlimit before_{};
};

TEST_F(CheckpointImporterTest, leaves_nothing_when_the_disk_is_full) {
    // Before anything is written, or as soon as it is.
    const auto whole = import().bytes_written;
    world().barrier();
    on_root([&] { std::filesystem::remove(folder_ / "m.h5"); });
    for (const std::int64_t limit : {std::int64_t{1000}, std::int64_t{1'000'000}, whole - 500}) {
        std::string message;
        {
            const FileSizeLimit full(static_cast<rlim_t>(limit));
            message = refusal(ErrorKind::resources);
        }
        EXPECT_THAT(message, HasSubstr("m.h5")) << limit;
    }
}

}  // namespace
}  // namespace reelyard::store
