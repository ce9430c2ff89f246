#include "reelyard/base/atomic_file.hpp"

#include <exception>
#include <utility>

#include "reelyard/base/error.hpp"
#include "reelyard/base/log.hpp"

namespace reelyard {

std::filesystem::path partial_path(const std::filesystem::path& path) {
    return path.parent_path() / ("." + path.filename().string() + ".part");
}

TemporaryFile::TemporaryFile(std::filesystem::path path, FileSystem& files)
    : path_(std::move(path))
    , files_(files) {}

TemporaryFile::~TemporaryFile() {
    if (committed_) {
        return;
    }
    try {
        files_.remove(path_);
    } catch (const std::exception& error) {
        log::local_warning("a temporary file stays behind: {}", error.what());
    }
}

void TemporaryFile::commit(const std::filesystem::path& final_path) {
    files_.open(path_, FileSystem::Mode::append)->sync();
    files_.rename(path_, final_path);
    committed_ = true;
}

void write_file_atomically(const std::filesystem::path& path,
                           std::string_view content,
                           FileSystem& files) {
    TemporaryFile temporary(partial_path(path), files);
    files.open(temporary.path(), FileSystem::Mode::truncate)
        ->write(std::as_bytes(std::span(content.data(), content.size())));
    temporary.commit(path);
}

}  // namespace reelyard
