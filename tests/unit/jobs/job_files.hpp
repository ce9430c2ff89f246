#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "reelyard/base/error.hpp"
#include "reelyard/jobs/generation_settings.hpp"

#include "reelyard/test/temporary_folder.hpp"

namespace reelyard::jobs {

inline const KnownNames known_names{.samplers = {"unipc", "dpmpp", "euler"},
                                    .sigma_schedules = {"official", "diffusers", "karras"},
                                    .video_formats = {"mp4", "png"},
                                    .transports = {"auto", "collective", "direct"}};

/// A folder for the files of one test.
class JobFiles : public testing::Test {
protected:
    std::filesystem::path write(const std::string& name, std::string_view content) {
        std::filesystem::create_directories((folder_ / name).parent_path());
        std::ofstream(folder_ / name, std::ios::binary) << content;
        return folder_ / name;
    }

    /// The message of the Error that `body` ends with, file names without the folder; and its
    /// kind.
    template <typename Body>
    std::pair<std::string, ErrorKind> error_of(Body&& body) {
        try {
            body();
        } catch (const Error& error) {
            auto text = error.message();
            const auto prefix = folder_.path().string() + "/";
            for (auto at = text.find(prefix); at != std::string::npos; at = text.find(prefix)) {
                text.erase(at, prefix.size());
            }
            return {text, error.kind()};
        }
        return {"no error", ErrorKind::internal};
    }

    template <typename Body>
    std::string message_of(Body&& body) {
        return error_of(body).first;
    }

    test::TemporaryFolder folder_;
};

}  // namespace reelyard::jobs
