#include "reelyard/store/store_file.hpp"

#include <algorithm>
#include <fstream>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <hdf5.h>
#include <sys/file.h>
#include <unistd.h>

#include "reelyard/base/checksum.hpp"
#include "reelyard/base/error.hpp"
#include "reelyard/store/checkpoint/checkpoint_folder.hpp"
#include "reelyard/store/checkpoint/checkpoint_importer.hpp"
#include "reelyard/store/weight_loader.hpp"

#include "reelyard/test/shared_folder.hpp"
#include "reelyard/test/tiny_checkpoint.hpp"

namespace reelyard::store {
namespace {

using testing::HasSubstr;

class StoreFileTest : public testing::Test {
protected:
    StoreFileTest() {
        on_root([&] {
            const test::TinyCheckpoint checkpoint(folder_ / "checkpoint");
            spec_ = checkpoint.spec();
        });
        const mpi::Communicator alone = world().split(world().rank(), 0);
        on_root([&] {
            const ImportRequest request{.checkpoint = folder_ / "checkpoint", .output = path()};
            (void)import_checkpoint(request,
                                    read_checkpoint_config(request.checkpoint),
                                    spec_,
                                    alone,
                                    [](std::int64_t, std::int64_t) {});
        });
    }

    [[nodiscard]] const mpi::Communicator& world() const { return folder_.world(); }
    [[nodiscard]] std::filesystem::path path() const { return folder_ / "m.h5"; }

    void on_root(const std::function<void()>& body) const {
        if (world().rank() == 0) {
            body();
        }
        world().barrier();
    }

    /// Changes the HDF5 file with HDF5's own calls, as another program would.
    void edit(const std::function<void(hid_t)>& body) const {
        on_root([&] {
            const hid_t file = H5Fopen(path().c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
            ASSERT_GE(file, 0);
            body(file);
            H5Fclose(file);
        });
    }

    /// Writes the index anew after changing every tensor of it, as another program would.
    void rewrite_index(const std::function<void(StoredTensor&)>& change) const {
        StoreIndex index = StoreFile::open(path(), world()).index();
        for (StoredComponent& component : index.components) {
            std::for_each(component.tensors.begin(), component.tensors.end(), change);
        }
        const std::string text = to_json(index);
        const std::string sum = to_hex(checksum(std::as_bytes(std::span(text))));
        edit([&](hid_t file) {
            for (const auto& [name, content] : {std::pair("index", text), {"index_xxh3_64", sum}}) {
                H5Ldelete(file, name, H5P_DEFAULT);
                const hsize_t bytes = content.size();
                const hid_t space = H5Screate_simple(1, &bytes, nullptr);
                const hid_t set = H5Dcreate2(
                    file, name, H5T_STD_U8LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
                H5Dwrite(set, H5T_STD_U8LE, H5S_ALL, H5S_ALL, H5P_DEFAULT, content.data());
                H5Dclose(set);
                H5Sclose(space);
            }
        });
    }

    [[nodiscard]] std::vector<std::string> corrupted() const {
        return find_corrupted_tensors(
            StoreFile::open(path(), world()), world(), [](std::int64_t, std::int64_t) {});
    }

    [[nodiscard]] std::string refusal(const std::string& name = "m.h5") const {
        try {
            (void)StoreFile::open(folder_ / name, world());
            return "";
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::input) << error.what();
            EXPECT_TRUE(error.is_shared());
            EXPECT_THAT(error.what(), HasSubstr(name));
            return error.what();
        }
    }

    test::SharedFolder folder_;
    ModelSpec spec_;
};

TEST_F(StoreFileTest, tells_all_ranks_the_same) {
    const StoreFile file = StoreFile::open(path(), world());

    EXPECT_EQ(file.index().components.size(), 3U);
    EXPECT_EQ(file_content(file.config(), "tokenizer/spiece.model"),
              std::string("\0\x01\x02 pieces", 10));
    EXPECT_EQ(file.fingerprint(), world().broadcast_text(file.fingerprint(), 0));
    EXPECT_EQ(file.fingerprint().size(), 16U);
    EXPECT_THROW((void)file.slab_offset("none"), Error);
}

TEST_F(StoreFileTest, opens_whatever_locks_are_on_the_file) {
    const int fd = ::open(path().c_str(), O_RDONLY | O_CLOEXEC);
    if (world().rank() == 0) {
        ASSERT_EQ(::flock(fd, LOCK_EX | LOCK_NB), 0);
    }
    world().barrier();

    EXPECT_EQ(refusal(), "");

    world().barrier();
    ::close(fd);
}

TEST_F(StoreFileTest, of_an_older_program_without_crc32_is_read_and_verified) {
    EXPECT_TRUE(StoreFile::open(path(), world()).index().components[0].tensors[0].crc32);
    rewrite_index([](StoredTensor& tensor) { tensor.crc32 = std::nullopt; });

    EXPECT_FALSE(StoreFile::open(path(), world()).index().components[0].tensors[0].crc32);
    EXPECT_THAT(corrupted(), testing::IsEmpty());
}

TEST_F(StoreFileTest, is_verified_against_crc32_too) {
    EXPECT_THAT(corrupted(), testing::IsEmpty());
    rewrite_index([](StoredTensor& tensor) {
        if (tensor.name == "shared.weight") {
            tensor.crc32 = *tensor.crc32 ^ 1U;
        }
    });

    EXPECT_THAT(corrupted(), testing::ElementsAre("text_encoder/shared.weight"));
}

TEST_F(StoreFileTest, refuses_what_is_not_hdf5) {
    EXPECT_THAT(refusal("none.h5"), HasSubstr("cannot be opened"));
    on_root([&] { std::ofstream(folder_ / "text.h5") << "just some text, no store at all"; });
    EXPECT_THAT(refusal("text.h5"), HasSubstr("is not an HDF5 file"));
    EXPECT_THAT(refusal("checkpoint"), HasSubstr("not a regular file"));
}

TEST_F(StoreFileTest, refuses_other_hdf5_files) {
    on_root([&] {
        H5Fclose(H5Fcreate((folder_ / "x.h5").c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
    });

    EXPECT_THAT(refusal("x.h5"), HasSubstr("expected a weight store made by 'reelyard import'"));
}

TEST_F(StoreFileTest, refuses_a_newer_schema_and_names_both_versions) {
    edit([](hid_t file) {
        const hid_t attribute = H5Aopen(file, "schema_version", H5P_DEFAULT);
        const long long version = 7;
        H5Awrite(attribute, H5T_NATIVE_LLONG, &version);
        H5Aclose(attribute);
    });

    EXPECT_THAT(refusal(), HasSubstr("schema version 7 (expected 1 to 1)"));
}

TEST_F(StoreFileTest, refuses_every_truncation) {
    const auto size = static_cast<std::int64_t>(std::filesystem::file_size(path()));

    for (const std::int64_t kept : {size - 1, size / 2, std::int64_t{5000}, std::int64_t{100}}) {
        on_root([&] { std::filesystem::resize_file(path(), static_cast<std::uintmax_t>(kept)); });
        EXPECT_NE(refusal(), "") << kept;
    }
}

TEST_F(StoreFileTest, refuses_an_index_that_was_changed) {
    edit([](hid_t file) {
        const hid_t dataset = H5Dopen2(file, "index", H5P_DEFAULT);
        const hid_t space = H5Dget_space(dataset);
        const hsize_t start = 40;
        const hsize_t count = 1;
        const hid_t memory = H5Screate_simple(1, &count, nullptr);
        H5Sselect_hyperslab(space, H5S_SELECT_SET, &start, nullptr, &count, nullptr);
        const unsigned char byte = 'X';
        H5Dwrite(dataset, H5T_NATIVE_UCHAR, memory, space, H5P_DEFAULT, &byte);
        H5Sclose(memory);
        H5Sclose(space);
        H5Dclose(dataset);
    });

    EXPECT_THAT(refusal(), HasSubstr("the index has checksum"));
}

TEST_F(StoreFileTest, refuses_a_store_without_a_slab_or_file_that_its_index_names) {
    edit([](hid_t file) { H5Ldelete(file, "files/vae/config.json", H5P_DEFAULT); });
    EXPECT_THAT(refusal(), HasSubstr("has no dataset 'files/vae/config.json'"));

    edit([](hid_t file) { H5Ldelete(file, "slabs/vae", H5P_DEFAULT); });
    EXPECT_THAT(refusal(), HasSubstr("has no dataset 'slabs/vae'"));

    edit([](hid_t file) { H5Ldelete(file, "index", H5P_DEFAULT); });
    EXPECT_THAT(refusal(), HasSubstr("has no dataset 'index'"));
}

TEST_F(StoreFileTest, never_follows_links_into_other_files) {
    edit([](hid_t file) {
        H5Lmove(file, "slabs/vae", file, "slabs/moved", H5P_DEFAULT, H5P_DEFAULT);
        H5Lcreate_external("other.h5", "/slab", file, "slabs/vae", H5P_DEFAULT, H5P_DEFAULT);
    });

    EXPECT_THAT(refusal(), HasSubstr("has no dataset 'slabs/vae'"));
}

TEST_F(StoreFileTest, refuses_a_slab_of_another_size) {
    edit([](hid_t file) {
        H5Ldelete(file, "slabs/vae", H5P_DEFAULT);
        const hsize_t bytes = 4096;
        const hid_t space = H5Screate_simple(1, &bytes, nullptr);
        const hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
        H5Pset_alloc_time(properties, H5D_ALLOC_TIME_EARLY);
        H5Dclose(H5Dcreate2(
            file, "slabs/vae", H5T_STD_U8LE, space, H5P_DEFAULT, properties, H5P_DEFAULT));
        H5Pclose(properties);
        H5Sclose(space);
    });

    EXPECT_THAT(refusal(), HasSubstr("the slab of component 'vae' has 4096 bytes"));
}

}  // namespace
}  // namespace reelyard::store
