#include "png_sink.hpp"

#include <exception>
#include <utility>

#include "reelyard/base/atomic_file.hpp"
#include "reelyard/base/error.hpp"
#include "reelyard/base/log.hpp"

#include "png_image.hpp"

namespace reelyard::media {
namespace {

namespace fs = std::filesystem;

/// Removes a folder of files. Absence is no error.
void remove_folder(const fs::path& folder, FileSystem& files) {
    for (const auto& name : files.list(folder)) {
        files.remove(folder / name);
    }
    files.remove(folder);
}

class PngSink final : public FrameSink {
public:
    PngSink(const SinkOptions& options, FileSystem& files)
        : files_(files)
        , name_(png_output(options.id))
        , folder_(options.folder / name_)
        , partial_(partial_path(folder_))
        , width_(options.width)
        , height_(options.height) {
        remove_folder(partial_, files_);  // of a run that was killed
        make_folders(partial_);
    }

    PngSink(const PngSink&) = delete;
    PngSink& operator=(const PngSink&) = delete;

    ~PngSink() override {
        if (finished_) {
            return;
        }
        try {
            remove_folder(partial_, files_);
        } catch (const std::exception& error) {
            log::local_warning("unfinished frames stay behind: {}", error.what());
        }
    }

    void write(const FrameView& frames) override {
        REELYARD_EXPECT(!finished_);
        REELYARD_EXPECT(frames.height == height_ && frames.width == width_);
        const auto frame_bytes = static_cast<std::size_t>(3 * height_ * width_);
        REELYARD_EXPECT(frames.pixels.size() ==
                        static_cast<std::size_t>(frames.frames) * frame_bytes);
        for (auto rest = frames.pixels; !rest.empty(); rest = rest.subspan(frame_bytes)) {
            write_frame(rest.first(frame_bytes));
        }
    }

    std::vector<fs::path> finish() override {
        REELYARD_EXPECT(!finished_ && !names_.empty());
        files_.sync(partial_);
        replace_folder();
        finished_ = true;
        std::vector<fs::path> outputs;
        outputs.reserve(names_.size());
        for (const auto& name : names_) {
            outputs.push_back(name_ / name);
        }
        return outputs;
    }

private:
    void write_frame(std::span<const std::uint8_t> pixels) {
        const std::string name = fmt::format("{:06}.png", names_.size());
        const fs::path path = partial_ / name;
        const auto png = encode_png({height_, width_, pixels}, (folder_ / name).string());
        const auto file = files_.open(path, FileSystem::Mode::truncate);
        file->write(png);
        file->sync();
        names_.push_back(name);
    }

    /// A folder cannot be renamed over one that has content, so the old one steps aside.
    void replace_folder() {
        const fs::path old = partial_path(folder_.string() + ".old");
        remove_folder(old, files_);
        if (fs::exists(folder_)) {
            files_.rename(folder_, old);
        }
        files_.rename(partial_, folder_);
        remove_folder(old, files_);
    }

    FileSystem& files_;
    fs::path name_;
    fs::path folder_;
    fs::path partial_;
    std::int64_t width_;
    std::int64_t height_;
    std::vector<std::string> names_;
    bool finished_ = false;
};

}  // namespace

std::unique_ptr<FrameSink> make_png_sink(const SinkOptions& options, FileSystem& files) {
    return std::make_unique<PngSink>(options, files);
}

fs::path png_output(const std::string& id) {
    return id;
}

}  // namespace reelyard::media
