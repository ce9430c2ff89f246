#include <algorithm>
#include <iterator>
#include <map>
#include <span>
#include <utility>

#include <nlohmann/json.hpp>
#include <sys/mman.h>
#include <unistd.h>

#include "reelyard/store/safetensors_file.hpp"

#include "fuzz_target.hpp"

namespace reelyard::fuzz {
namespace {

using store::SafetensorsEntry;
using store::SafetensorsFile;

__extension__ using Wide = __int128;

constexpr std::size_t length_field = 8;

const std::map<std::string, std::int64_t> widths{{"F64", 8},
                                                 {"F32", 4},
                                                 {"F16", 2},
                                                 {"BF16", 2},
                                                 {"F8_E4M3", 1},
                                                 {"F8_E5M2", 1},
                                                 {"I64", 8},
                                                 {"I32", 4},
                                                 {"I16", 2},
                                                 {"I8", 1},
                                                 {"U64", 8},
                                                 {"U32", 4},
                                                 {"U16", 2},
                                                 {"U8", 1},
                                                 {"BOOL", 1}};

/// Number of bytes behind the header of a seed.
std::size_t data_bytes(const std::string& header) {
    std::size_t end = 0;
    const auto parsed = nlohmann::json::parse(header);
    for (const auto& [name, entry] : parsed.items()) {
        end = name == "__metadata__"
                  ? end
                  : std::max(end, entry.at("data_offsets").at(1).get<std::size_t>());
    }
    return end;
}

std::string length_text(std::uint64_t length) {
    std::string text;
    for (std::size_t i = 0; i < length_field; ++i) {
        text.push_back(static_cast<char>(length >> 8 * i & 0xffU));
    }
    return text;
}

/// Another length of the header than the true one.
std::uint64_t wrong_length(std::size_t length, Random& random) {
    switch (random.below(5)) {
        case 0:
            return length + random.below(16);
        case 1:
            return length - std::min(length, random.below(16));
        case 2:
            return 100'000'000 + random.below(2);
        case 3:
            return ~std::uint64_t{0} >> random.below(64);
        default:
            return random.bits();
    }
}

/// A file that has no name.
class MemoryFile {
public:
    MemoryFile() : fd_(memfd_create("fuzz", MFD_CLOEXEC)) {
        expect(fd_ >= 0, "memfd_create failed");
    }
    MemoryFile(const MemoryFile&) = delete;
    MemoryFile& operator=(const MemoryFile&) = delete;
    ~MemoryFile() { ::close(fd_); }

    [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

    void put(std::string_view content) const {
        expect(ftruncate(fd_, 0) == 0, "ftruncate failed");
        expect(std::cmp_equal(pwrite(fd_, content.data(), content.size(), 0), content.size()),
               "pwrite failed");
    }

private:
    int fd_;
};

void check_entry(const SafetensorsFile& file,
                 const SafetensorsEntry& entry,
                 std::string_view content) {
    Wide bytes = widths.at(entry.dtype);
    for (const std::int64_t extent : entry.shape) {
        expect(extent >= 0, "a negative extent");
        bytes *= extent;
        expect(bytes <= INT64_MAX, "more bytes than a file can have");
    }
    expect(bytes == entry.bytes, "bytes that contradict the shape");
    expect(entry.offset >= file.data_offset() &&
               Wide{entry.offset} + entry.bytes <= static_cast<std::int64_t>(content.size()),
           "a tensor outside the file");
    std::string read(static_cast<std::size_t>(entry.bytes), '\0');
    file.read(entry.offset, std::as_writable_bytes(std::span(read)));
    expect(read == content.substr(static_cast<std::size_t>(entry.offset), read.size()),
           "other bytes than those of the file");
}

void check_file(const SafetensorsFile& file, std::string_view content) {
    expect(std::cmp_equal(file.file_bytes(), content.size()), "a wrong file size");
    std::map<std::string, int> names;
    std::int64_t end = file.data_offset();
    for (const SafetensorsEntry& entry : file.entries()) {
        check_entry(file, entry, content);
        expect(names[entry.name]++ == 0, "two tensors of one name");
        expect(entry.offset == end, "tensors that overlap, or a gap");
        end = entry.offset + entry.bytes;
    }
    expect(end == file.file_bytes(), "bytes that belong to nothing");
}

std::string frame(const std::string& header, std::size_t data) {
    std::string content = length_text(header.size()) + header;
    for (std::size_t i = 0; i < data; ++i) {
        content.push_back(static_cast<char>(i * 131));
    }
    return content;
}

void lie(std::string& content, Random& random) {
    switch (random.below(3)) {
        case 0:
            content.append(1 + random.below(16), 'x');
            break;
        case 1:
            content.resize(content.size() -
                           random.below(std::min<std::size_t>(content.size(), 16)));
            break;
        default:
            content.replace(
                0, length_field, length_text(wrong_length(content.size() - length_field, random)));
            break;
    }
}

}  // namespace

Target make_target(const std::string& corpus) {
    const std::vector<std::string> seeds = read_files(corpus + "/safetensors");
    std::vector<std::size_t> sizes;
    std::transform(seeds.begin(), seeds.end(), std::back_inserter(sizes), data_bytes);
    return {.name = "safetensors",
            .seeds = seeds,
            .frame = [sizes](const std::string& text,
                             std::size_t seed) { return frame(text, sizes[seed]); },
            .lie = lie,
            .check =
                [](std::string_view input) {
                    static const MemoryFile file;
                    file.put(input);
                    return read_or_refuse([&] { check_file(SafetensorsFile(file.path()), input); },
                                          file.path());
                }};
}

}  // namespace reelyard::fuzz
