# Every library from outside, found once. What modules write after LINKS:
#
#   reelyard::torch            LibTorch (CPU or CUDA); a module that links it is compiled with a precompiled <ATen/ATen.h>
#   reelyard::mpi_c            MPI, C interface
#   reelyard::hdf5             HDF5 with MPI-IO, C interface
#   reelyard::ffmpeg           libavformat, libavcodec, libavutil, libswscale
#   reelyard::sentencepiece    SentencePiece
#   reelyard::utf8proc         utf8proc: Unicode normal forms and properties
#   reelyard::freetype         FreeType
#   reelyard::xxhash           xxHash
#   reelyard::isal             ISA-L: checksums
#   reelyard::zlib             zlib: putting checksums together
#   reelyard::hwloc            hwloc: cores, NUMA domains, PCI devices
#   reelyard::openmp           the OpenMP run time; sources with OpenMP pragmas also need ${OpenMP_CXX_FLAGS} and no
#                              precompiled header (SKIP_PRECOMPILE_HEADERS)
#   reelyard::cuda             CUDA run time and c10_cuda; exists only in a CUDA build, linked by CUDA_SOURCES
#   reelyard::nccl             NCCL; exists only in a CUDA build, linked by CUDA_SOURCES
#   nlohmann_json::nlohmann_json  spdlog::spdlog  fmt::fmt  Boost::program_options  Eigen3::Eigen  Threads::Threads
#   GTest::gtest  GTest::gmock (tests)   benchmark::benchmark (perf)
#
# Variables for CMakeLists.txt files: REELYARD_HAVE_CUDA (ON in a CUDA build, otherwise OFF).

include(cuda)
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(ReelyardTorch REQUIRED)

find_package(MPI REQUIRED COMPONENTS C)
add_library(reelyard::mpi_c INTERFACE IMPORTED GLOBAL)
target_link_libraries(reelyard::mpi_c INTERFACE MPI::MPI_C)
# The C++ bindings were removed from the MPI standard; their headers only cost time.
target_compile_definitions(reelyard::mpi_c INTERFACE OMPI_SKIP_MPICXX MPICH_SKIP_MPICXX)

# A package known to pkg-config becomes the imported target reelyard::<name>.
function(reelyard_pkg_config name)
  pkg_check_modules(${name} IMPORTED_TARGET GLOBAL ${ARGN})
  if(${name}_FOUND)
    add_library(reelyard::${name} ALIAS PkgConfig::${name})
  endif()
endfunction()

reelyard_pkg_config(ffmpeg REQUIRED libavformat libavcodec libavutil libswscale)
reelyard_pkg_config(sentencepiece REQUIRED sentencepiece)
reelyard_pkg_config(utf8proc REQUIRED libutf8proc)
reelyard_pkg_config(freetype REQUIRED freetype2)
reelyard_pkg_config(xxhash REQUIRED libxxhash)
reelyard_pkg_config(isal REQUIRED libisal)
reelyard_pkg_config(zlib REQUIRED zlib)
reelyard_pkg_config(hwloc REQUIRED hwloc)

# Debian and Ubuntu name the build of HDF5 by its MPI; elsewhere CMake's own module finds the parallel one.
if(NOT HDF5_ROOT AND NOT DEFINED ENV{HDF5_ROOT})
  reelyard_pkg_config(hdf5 QUIET hdf5-openmpi)
endif()
if(NOT TARGET reelyard::hdf5)
  set(HDF5_PREFER_PARALLEL ON)
  find_package(HDF5 REQUIRED COMPONENTS C)
  if(NOT HDF5_IS_PARALLEL)
    message(FATAL_ERROR "the HDF5 found (${HDF5_C_INCLUDE_DIRS}) is built without MPI; "
                        "name a parallel one with -DHDF5_ROOT=DIR")
  endif()
  add_library(reelyard::hdf5 INTERFACE IMPORTED GLOBAL)
  target_link_libraries(reelyard::hdf5 INTERFACE hdf5::hdf5)
endif()

find_package(OpenMP REQUIRED COMPONENTS CXX)
# By option, not by the path of the library: LibTorch brings its own copy of the run time, and it is that one which is loaded.
add_library(reelyard::openmp INTERFACE IMPORTED GLOBAL)
target_link_options(reelyard::openmp INTERFACE ${OpenMP_CXX_FLAGS})
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(Boost REQUIRED COMPONENTS program_options)
find_package(Eigen3 REQUIRED NO_MODULE)
if(REELYARD_TESTS)
  find_package(GTest REQUIRED)
endif()
if(REELYARD_PERF)
  find_package(benchmark REQUIRED)
endif()
