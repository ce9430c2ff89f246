#include "reelyard/store/transport/direct_reader.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <fstream>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/mman.h>
#include <unistd.h>

#include "reelyard/base/bytes.hpp"
#include "reelyard/base/error.hpp"

#include "reelyard/test/temporary_folder.hpp"

namespace reelyard::store {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr std::int64_t page = 4096;

const std::function<void()> nothing = [] {
};

/// Memory that begins `shift` bytes after a page boundary and ends with a guard value.
class Memory {
public:
    Memory(std::int64_t bytes, std::int64_t shift)
        : all_(static_cast<std::size_t>(bytes + shift + 2 * page), std::byte{0xee}) {
        const auto address = reinterpret_cast<std::intptr_t>(all_.data());
        const std::int64_t begin = align_up(address, page) - address + shift;
        span_ = std::span(all_).subspan(static_cast<std::size_t>(begin),
                                        static_cast<std::size_t>(bytes));
    }

    [[nodiscard]] std::span<std::byte> span() const { return span_; }
    [[nodiscard]] std::span<std::byte> part(std::int64_t begin, std::int64_t bytes) const {
        return span_.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(bytes));
    }
    /// Whether what lies around the span was left alone.
    [[nodiscard]] bool is_clean() const {
        const auto is_guard = [](std::byte b) {
            return b == std::byte{0xee};
        };
        const auto begin = span_.data() - all_.data();
        return std::all_of(all_.begin(), all_.begin() + begin, is_guard) &&
               std::all_of(all_.begin() + begin + static_cast<std::ptrdiff_t>(span_.size()),
                           all_.end(),
                           is_guard);
    }

private:
    std::vector<std::byte> all_;
    std::span<std::byte> span_;
};

/// A file of random bytes in some folder.
class RandomFile {
public:
    RandomFile(std::filesystem::path path, std::size_t bytes) : path_(std::move(path)) {
        std::mt19937_64 random(bytes);
        content_.resize(bytes);
        for (char& c : content_) {
            c = static_cast<char>(random());
        }
        std::ofstream(path_, std::ios::binary) << content_;
    }

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    [[nodiscard]] bool holds(std::int64_t offset, std::span<const std::byte> bytes) const {
        return std::memcmp(content_.data() + offset, bytes.data(), bytes.size()) == 0;
    }

private:
    std::filesystem::path path_;
    std::string content_;
};

/// A folder on the disk that tests are built on, and one in memory.
class DirectReaderTest : public testing::TestWithParam<const char*> {
protected:
    DirectReaderTest()
        : folder_(std::filesystem::path(GetParam()) /
                  ("reelyard-test-" + std::to_string(::getpid()))) {
        std::filesystem::create_directories(folder_);
    }
    ~DirectReaderTest() override { std::filesystem::remove_all(folder_); }

    [[nodiscard]] RandomFile make_file(std::size_t bytes) const {
        return {folder_ / "file", bytes};
    }

    std::filesystem::path folder_;
};

std::string failure_of(DirectReader& reader, ErrorKind kind) {
    try {
        (void)reader.finish(nothing);
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), kind);
        return error.what();
    }
    return "";
}

TEST_P(DirectReaderTest, reads_any_part_into_any_memory) {
    const auto file = make_file(5 * page + 123);
    DirectReader reader(file.path());

    for (const std::int64_t offset : {0L, 1L, 64L, 4095L, 4096L, 4097L, 3 * page + 17}) {
        for (const std::int64_t bytes : {1L, 63L, 4095L, 4096L, 4097L, 2 * page, 2 * page + 106}) {
            for (const std::int64_t shift : {0L, 1L, 64L, offset % page}) {
                const Memory memory(bytes, shift);
                reader.start({.extents = {{.offset = offset, .into = memory.span()}}});
                EXPECT_EQ(reader.finish(nothing), bytes);
                EXPECT_TRUE(file.holds(offset, memory.span())) << offset << ' ' << bytes;
                EXPECT_TRUE(memory.is_clean()) << offset << ' ' << bytes << ' ' << shift;
            }
        }
    }
}

TEST_P(DirectReaderTest, reads_what_is_larger_than_one_read) {
    const auto file = make_file(static_cast<std::size_t>(65 * mebibyte + 5));
    const Memory memory(65 * mebibyte + 5 - 77, 77);
    DirectReader reader(file.path());

    reader.start({.extents = {{.offset = 77, .into = memory.span()}}});

    EXPECT_EQ(reader.finish(nothing), 65 * mebibyte + 5 - 77);
    EXPECT_TRUE(file.holds(77, memory.span()));
}

TEST_P(DirectReaderTest, fills_scattered_and_adjoining_extents) {
    const auto file = make_file(64 * page);
    const Memory memory(64 * page, 0);
    DirectReader reader(file.path());

    // Adjoining in both; in memory alone; in the file alone; nothing at all.
    reader.start({.extents = {{.offset = 0, .into = memory.part(0, 1000)},
                              {.offset = 1000, .into = memory.part(1000, 7192)},
                              {.offset = 20000, .into = memory.part(8192, 5000)},
                              {.offset = 25000, .into = memory.part(30000, 10)},
                              {.offset = 7, .into = memory.part(40000, 0)}}});

    EXPECT_EQ(reader.finish(nothing), 1000 + 7192 + 5000 + 10);
    EXPECT_TRUE(file.holds(0, memory.part(0, 8192)));
    EXPECT_TRUE(file.holds(20000, memory.part(8192, 5000)));
    EXPECT_TRUE(file.holds(25000, memory.part(30000, 10)));
    EXPECT_EQ(memory.part(13192, 1)[0], std::byte{0xee});
}

TEST_P(DirectReaderTest, finishes_in_the_order_of_starts_and_runs_what_follows_before) {
    constexpr std::int64_t tasks = 500;
    const auto file = make_file(static_cast<std::size_t>(2 * tasks * page));
    const Memory memory(2 * tasks * page, 0);
    DirectReader reader(file.path(), 3);

    std::vector<std::atomic<bool>> followed(tasks);
    std::int64_t at = 0;
    for (std::int64_t i = 0; i < tasks; ++i) {
        const std::int64_t bytes = 1 + i * 16;
        reader.start({.extents = {{.offset = at, .into = memory.part(at, bytes)}},
                      .then = [&followed, &file, i, at, part = memory.part(at, bytes)] {
                          followed[static_cast<std::size_t>(i)] = file.holds(at, part);
                      }});
        at += bytes;
    }

    for (std::int64_t i = 0; i < tasks; ++i) {
        EXPECT_EQ(reader.finish(nothing), 1 + i * 16);
        EXPECT_TRUE(followed[static_cast<std::size_t>(i)]) << i;
    }
}

TEST_P(DirectReaderTest, runs_what_follows_an_empty_read) {
    const auto file = make_file(10);
    DirectReader reader(file.path());

    bool followed = false;
    reader.start({.then = [&] {
        followed = true;
    }});

    EXPECT_EQ(reader.finish(nothing), 0);
    EXPECT_TRUE(followed);
}

TEST_P(DirectReaderTest, says_that_the_file_was_cut_short_and_goes_on) {
    const auto file = make_file(10 * page);
    const Memory memory(10 * page, 0);
    DirectReader reader(file.path());
    std::filesystem::resize_file(file.path(), 3 * page + 100);

    bool followed = false;
    reader.start({.extents = {{.offset = page, .into = memory.part(0, 8 * page)}}, .then = [&] {
                      followed = true;
                  }});
    reader.start({.extents = {{.offset = 0, .into = memory.part(9 * page, page)}}});

    EXPECT_THAT(failure_of(reader, ErrorKind::storage),
                AllOf(HasSubstr(file.path().string()),
                      HasSubstr("ends at byte 12388 while 24476 more are wanted"),
                      HasSubstr("cut short")));
    EXPECT_FALSE(followed);
    EXPECT_EQ(reader.finish(nothing), page);
}

TEST_P(DirectReaderTest, reports_a_failure_of_what_follows_with_its_read) {
    const auto file = make_file(page);
    const Memory memory(2 * page, 0);
    DirectReader reader(file.path());

    reader.start({.extents = {{.offset = 0, .into = memory.part(0, page)}}, .then = [] {
                      fail(ErrorKind::input, "the checksum is wrong");
                  }});
    reader.start({.then = [] {
        throw std::runtime_error("foreign");
    }});
    reader.start({.extents = {{.offset = 0, .into = memory.part(page, page)}}});

    EXPECT_EQ(failure_of(reader, ErrorKind::input), "the checksum is wrong");
    EXPECT_THROW((void)reader.finish(nothing), std::runtime_error);
    EXPECT_EQ(reader.finish(nothing), page);
}

TEST_P(DirectReaderTest, calls_idle_while_there_is_nothing_to_do_but_wait) {
    const auto file = make_file(page);
    DirectReader reader(file.path());

    std::atomic<bool> was_idle = false;
    reader.start({.then = [&] {
        was_idle.wait(false);
    }});

    EXPECT_EQ(reader.finish([&] {
        was_idle = true;
        was_idle.notify_all();
    }),
              0);
    EXPECT_TRUE(was_idle);
}

TEST_P(DirectReaderTest, drops_what_has_not_begun_when_it_goes) {
    const auto file = make_file(100 * page);
    const Memory memory(1000 * page, 0);
    std::atomic<int> begun = 0;
    std::atomic<int> ended = 0;

    {
        DirectReader reader(file.path(), 2);
        for (int i = 0; i < 1000; ++i) {
            reader.start({.extents = {{.offset = 0, .into = memory.span()}}, .then = [&] {
                              ++begun;
                              ++ended;
                          }});
        }
    }

    EXPECT_EQ(begun, ended);
}

TEST_P(DirectReaderTest, says_that_memory_is_lacking_instead_of_dying) {
    // Behind the end of a mapped file there is no memory; touching it would be a bus error.
    const auto file = make_file(16 * page);
    const auto backing = folder_ / "memory";
    std::ofstream(backing) << "";
    const int fd = ::open(backing.c_str(), O_RDWR | O_CLOEXEC);
    void* mapped = ::mmap(nullptr, 16 * page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ASSERT_NE(mapped, MAP_FAILED);
    const std::span<std::byte> memory{static_cast<std::byte*>(mapped), 16 * page};

    {
        DirectReader reader(file.path());
        reader.start({.extents = {{.offset = 0, .into = memory}}});
        EXPECT_THAT(failure_of(reader, ErrorKind::resources), HasSubstr("/dev/shm"));
    }
    ::munmap(mapped, 16 * page);
    ::close(fd);
}

TEST_P(DirectReaderTest, names_a_file_that_is_not_there) {
    try {
        const DirectReader reader(folder_ / "none");
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::input);
        EXPECT_THAT(error.what(), AllOf(HasSubstr("none"), HasSubstr("cannot be opened")));
    }
}

INSTANTIATE_TEST_SUITE_P(folders,
                         DirectReaderTest,
                         testing::Values(".", "/dev/shm"),
                         [](const auto& folder) {
                             return std::string(folder.param) == "." ? "disk" : "memory";
                         });

}  // namespace
}  // namespace reelyard::store
