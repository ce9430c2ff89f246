#include "reelyard/journal/output_store.hpp"

#include <algorithm>
#include <iterator>
#include <system_error>

#include "reelyard/base/checksum.hpp"
#include "reelyard/base/error.hpp"

namespace reelyard::journal {
namespace {

namespace fs = std::filesystem;

constexpr const char* latents_folder = "latents";
constexpr const char* frames_folder = "frames";

bool is_partial(const std::string& name) {
    return name.starts_with(".") && name.ends_with(".part");
}

void remove_all(const fs::path& path, FileSystem& files) {
    if (fs::is_directory(fs::symlink_status(path))) {
        for (const auto& name : files.list(path)) {
            remove_all(path / name, files);
        }
    }
    files.remove(path);
}

int remove_partial(const fs::path& folder, FileSystem& files) {
    int removed = 0;
    for (const auto& name : files.list(folder)) {
        if (is_partial(name)) {
            remove_all(folder / name, files);
            ++removed;
        }
    }
    return removed;
}

bool has_size(const fs::path& path, std::int64_t bytes) {
    std::error_code code;
    const auto size = fs::file_size(path, code);
    return !code && static_cast<std::int64_t>(size) == bytes;
}

}  // namespace

fs::path OutputStore::latent(const std::string& id) const {
    return folder_ / latents_folder / (id + ".safetensors");
}

fs::path OutputStore::frames(const std::string& id) const {
    return folder_ / frames_folder / (id + ".safetensors");
}

int OutputStore::prepare(const Extras& extras, FileSystem& files) const {
    make_folders(videos());
    if (extras.latents) {
        make_folders(folder_ / latents_folder);
    }
    if (extras.frames) {
        make_folders(folder_ / frames_folder);
    }
    int removed = 0;
    for (const auto& folder :
         {folder_, videos(), conditioning(), folder_ / latents_folder, folder_ / frames_folder}) {
        removed += remove_partial(folder, files);
    }
    return removed;
}

void OutputStore::add_file(TaskResult& result, const fs::path& file) const {
    const fs::path path = folder_ / file;
    std::error_code code;
    const auto size = fs::file_size(path, code);
    require(!code,
            ErrorKind::storage,
            "{}: is not there although it was just written ({})",
            path.string(),
            code.message());
    result.bytes[file.generic_string()] = static_cast<std::int64_t>(size);
    result.files[file.generic_string()] = file_checksum(path);
}

bool OutputStore::is_complete(const Record& record, Check check) const {
    const TaskResult& result = record.result;
    if (result.state != TaskResult::State::done || result.files.empty()) {
        return false;
    }
    return std::all_of(result.files.begin(), result.files.end(), [&](const auto& file) {
        const fs::path path = folder_ / file.first;
        return has_size(path, result.bytes.at(file.first)) &&
               (check == Check::sizes || file_checksum(path) == file.second);
    });
}

std::vector<Task> OutputStore::missing(const Ledger& ledger, const std::vector<Task>& tasks) const {
    std::vector<Task> missing;
    std::copy_if(tasks.begin(), tasks.end(), std::back_inserter(missing), [&](const Task& task) {
        const Record* record = ledger.find(task.id);
        return record == nullptr || !is_complete(*record);
    });
    return missing;
}

}  // namespace reelyard::journal
