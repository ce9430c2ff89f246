#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "reelyard/base/error.hpp"
#include "reelyard/base/file_system.hpp"

namespace reelyard::test {

/// A real folder on a disk with room for a number of bytes.
class FullDisk final : public FileSystem {
public:
    explicit FullDisk(std::int64_t room) : room_(room) {}

    void make_room(std::int64_t bytes) { room_ += bytes; }

    std::unique_ptr<WritableFile> open(const std::filesystem::path& path, Mode mode) override {
        return std::make_unique<File>(*this, path, real_.open(path, mode));
    }
    void rename(const std::filesystem::path& from, const std::filesystem::path& to) override {
        real_.rename(from, to);
    }
    void remove(const std::filesystem::path& path) override { real_.remove(path); }
    void sync(const std::filesystem::path& folder) override { real_.sync(folder); }
    std::vector<std::string> list(const std::filesystem::path& folder) override {
        return real_.list(folder);
    }

private:
    class File final : public WritableFile {
    public:
        File(FullDisk& disk, std::filesystem::path path, std::unique_ptr<WritableFile> real)
            : disk_(disk)
            , path_(std::move(path))
            , real_(std::move(real)) {}

        void write(std::span<const std::byte> data) override {
            const auto fits = std::min(static_cast<std::int64_t>(data.size()), disk_.room_);
            real_->write(data.first(static_cast<std::size_t>(fits)));
            disk_.room_ -= fits;
            require(fits == static_cast<std::int64_t>(data.size()),
                    ErrorKind::resources,
                    "{}: writing failed: No space left on device",
                    path_.string());
        }
        void sync() override { real_->sync(); }

    private:
        FullDisk& disk_;
        std::filesystem::path path_;
        std::unique_ptr<WritableFile> real_;
    };

    FileSystem& real_ = posix_file_system();
    std::int64_t room_;
};

/// What every call throws from the crash on.
class Crash final : public std::runtime_error {
public:
    Crash() : std::runtime_error("the machine is off") {}
};

/// A real folder on a machine that goes off at the n-th change; the write of that moment gets half
/// done. After it nothing happens any more, not even the cleaning up of destructors.
class CrashingDisk final : public FileSystem {
public:
    /// \param changes how many changes succeed before the crash
    explicit CrashingDisk(int changes) : changes_left_(changes) {}

    [[nodiscard]] bool crashed() const { return crashed_; }

    /// What a power failure does to the folder: bytes and names that were not synced are gone.
    void lose_unsynced() const {
        for (const auto& [path, state] : states_) {
            if (!std::filesystem::exists(path)) {
                continue;
            }
            if (!state.name_synced) {
                std::filesystem::remove(path);
            } else {
                std::filesystem::resize_file(path, state.synced_bytes);
            }
        }
    }

    std::unique_ptr<WritableFile> open(const std::filesystem::path& path, Mode mode) override {
        count_change();
        const bool existed = std::filesystem::exists(path);
        auto real = real_.open(path, mode);
        const bool known = states_.contains(path.string());
        State& state = states_[path.string()];
        if (!known) {
            state = {existed ? std::filesystem::file_size(path) : 0, existed};
        }
        if (mode == Mode::truncate) {
            state.synced_bytes = 0;
        }
        return std::make_unique<File>(*this, path, std::move(real));
    }

    void rename(const std::filesystem::path& from, const std::filesystem::path& to) override {
        count_change();
        real_.rename(from, to);
        std::map<std::string, State> renamed;
        for (const auto& [path, state] : states_) {
            const bool moves = path == from.string() || path.starts_with(from.string() + "/");
            renamed[moves ? to.string() + path.substr(from.string().size()) : path] = state;
        }
        states_ = std::move(renamed);
        mark_names(to.parent_path());
    }

    void remove(const std::filesystem::path& path) override {
        count_change();
        real_.remove(path);
        states_.erase(path.string());
    }

    void sync(const std::filesystem::path& folder) override {
        count_change();
        real_.sync(folder);
        mark_names(folder);
    }

    std::vector<std::string> list(const std::filesystem::path& folder) override {
        return real_.list(folder);
    }

private:
    struct State {
        std::uintmax_t synced_bytes = 0;
        bool name_synced = false;
    };

    class File final : public WritableFile {
    public:
        File(CrashingDisk& disk, std::filesystem::path path, std::unique_ptr<WritableFile> real)
            : disk_(disk)
            , path_(std::move(path))
            , real_(std::move(real)) {}

        void write(std::span<const std::byte> data) override {
            if (disk_.changes_left_ == 0 && !disk_.crashed_) {
                real_->write(data.first(data.size() / 2));
            }
            disk_.count_change();
            real_->write(data);
        }
        void sync() override {
            disk_.count_change();
            real_->sync();
            disk_.states_[path_.string()].synced_bytes = std::filesystem::file_size(path_);
        }

    private:
        CrashingDisk& disk_;
        std::filesystem::path path_;
        std::unique_ptr<WritableFile> real_;
    };

    void count_change() {
        if (crashed_ || changes_left_ == 0) {
            crashed_ = true;
            throw Crash();
        }
        --changes_left_;
    }

    void mark_names(const std::filesystem::path& folder) {
        for (auto& [path, state] : states_) {
            if (std::filesystem::path(path).parent_path() == folder) {
                state.name_synced = true;
            }
        }
    }

    FileSystem& real_ = posix_file_system();
    int changes_left_;
    bool crashed_ = false;
    std::map<std::string, State> states_;
};

}  // namespace reelyard::test
