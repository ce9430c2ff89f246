# Everything a user may set, in one place.
set(REELYARD_CUDA AUTO CACHE STRING "Build the CUDA and NCCL parts: AUTO (when a toolkit is found), ON or OFF")
set_property(CACHE REELYARD_CUDA PROPERTY STRINGS AUTO ON OFF)
set(REELYARD_VENV "${PROJECT_SOURCE_DIR}/build/venv" CACHE PATH
    "Python virtual environment with the wheel torch==2.11.0; used when no other LibTorch is named")
option(REELYARD_TESTS "Build the tests" ON)
option(REELYARD_PERF "Build the benchmarks" OFF)
option(REELYARD_CONTRACTS "Check our own contracts (REELYARD_EXPECT) while running" ON)
option(REELYARD_WARNINGS_AS_ERRORS "Treat compiler warnings as errors" OFF)
option(REELYARD_CCACHE "Compile through ccache when it is installed" ON)
option(REELYARD_PCH "Use a precompiled header for LibTorch" ON)
set(REELYARD_SANITIZE "" CACHE STRING "Sanitizers for every target, for example address,undefined")

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "Build type" FORCE)
endif()
# Line numbers are enough for backtraces and profiles; full debug information of LibTorch's headers is ten times larger.
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
