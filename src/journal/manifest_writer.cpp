#include "reelyard/journal/manifest_writer.hpp"

#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "reelyard/base/atomic_file.hpp"
#include "reelyard/base/error.hpp"

namespace reelyard::journal {

ManifestWriter::ManifestWriter(std::filesystem::path path, FileSystem& files)
    : path_(std::move(path))
    , files_(files) {
    open();
}

void ManifestWriter::open() {
    std::string text;
    const bool exists = std::filesystem::exists(path_);
    if (exists) {
        text = read_text_file(path_);
    }
    const std::size_t whole = text.rfind('\n') + 1;  // 0 when there is no line end
    if (!exists || whole != text.size()) {
        write_file_atomically(path_, std::string_view(text).substr(0, whole), files_);
    }
    file_ = files_.open(path_, FileSystem::Mode::append);
}

void ManifestWriter::append(const Record& record) {
    const std::string line = to_json(record) + '\n';
    if (!file_) {
        open();
    }
    // Given back only when the record is on the disk.
    auto file = std::exchange(file_, nullptr);
    file->write(std::as_bytes(std::span(line.data(), line.size())));
    file->sync();
    file_ = std::move(file);
}

}  // namespace reelyard::journal
