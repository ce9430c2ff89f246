#include "version.hpp"

#include <vector>

#include <hdf5.h>
#include <mpi.h>

#include "reelyard/base/format.hpp"
#include "reelyard/device/version.hpp"
#include "reelyard/mpi/session.hpp"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/avutil.h>
}

namespace reelyard::cli {

namespace {

using device::LibraryVersion;

LibraryVersion mpi_version() {
#if defined(OMPI_MAJOR_VERSION)
    auto built = fmt::format(
        "Open MPI {}.{}.{}", OMPI_MAJOR_VERSION, OMPI_MINOR_VERSION, OMPI_RELEASE_VERSION);
#else
    auto built = fmt::format("MPI {}.{}", MPI_VERSION, MPI_SUBVERSION);
#endif
    return {.name = "MPI", .built = std::move(built), .found = mpi::library_version()};
}

LibraryVersion hdf5_version() {
    unsigned major = 0;
    unsigned minor = 0;
    unsigned release = 0;
    const bool is_there = H5get_libversion(&major, &minor, &release) >= 0;
    return {.name = "HDF5",
            .built = fmt::format("{}.{}.{}", H5_VERS_MAJOR, H5_VERS_MINOR, H5_VERS_RELEASE),
            .found = is_there ? fmt::format("{}.{}.{}", major, minor, release) : ""};
}

std::string ffmpeg_library(unsigned version) {
    return fmt::format("{}.{}.{}",
                       AV_VERSION_MAJOR(version),
                       AV_VERSION_MINOR(version),
                       AV_VERSION_MICRO(version));
}

// The headers know the numbers of the libraries only; the name of the release is known at run time.
LibraryVersion ffmpeg_version() {
    return {.name = "FFmpeg",
            .built = fmt::format("libavcodec {}, libavformat {}",
                                 ffmpeg_library(LIBAVCODEC_VERSION_INT),
                                 ffmpeg_library(LIBAVFORMAT_VERSION_INT)),
            .found = fmt::format("{}, libavcodec {}, libavformat {}",
                                 av_version_info(),
                                 ffmpeg_library(avcodec_version()),
                                 ffmpeg_library(avformat_version()))};
}

}  // namespace

std::string program_version() {
    return REELYARD_VERSION;
}

std::string version_text() {
    std::vector<LibraryVersion> libraries{mpi_version(), hdf5_version()};
    for (auto& library : device::library_versions()) {
        libraries.push_back(std::move(library));
    }
    libraries.push_back(ffmpeg_version());

    std::string text = fmt::format("reelyard {}\n", program_version());
    for (const auto& [name, built, found] : libraries) {
        if (built.empty()) {
            text += fmt::format("  {:<9} not built in\n", name);
        } else {
            text += fmt::format(
                "  {:<9} built with {}; found {}\n", name, built, found.empty() ? "none" : found);
        }
    }
    return text;
}

}  // namespace reelyard::cli
