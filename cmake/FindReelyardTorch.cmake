# Finds LibTorch and makes the imported target reelyard::torch.
#
# Looked for in this order: Torch_DIR (where its TorchConfig.cmake lies) and CMAKE_PREFIX_PATH (a LibTorch archive, the
# folder torch/ of a wheel, or a prefix with the wheel in its site-packages), each as a variable or from the environment, then
# the wheel in the virtual environment REELYARD_VENV. Only the place is taken from there: the package's own CMake files insist
# on a CUDA toolkit whenever the wheel has CUDA, and we also build for the CPU alone against such a wheel.
#
# Sets REELYARD_TORCH_ROOT (the folder with include/ and lib/) and REELYARD_TORCH_VERSION. With REELYARD_HAVE_CUDA the target
# has the CUDA libraries as well, and reelyard::cuda and reelyard::nccl are made; a LibTorch without them turns
# REELYARD_HAVE_CUDA off (AUTO) or stops the configuration (ON).

set(candidates "")
foreach(package IN ITEMS "${Torch_DIR}" "$ENV{Torch_DIR}")
  if(package)
    cmake_path(SET root NORMALIZE "${package}/../../..")
    list(APPEND candidates ${root})
  endif()
endforeach()
string(REPLACE ":" ";" environment_prefixes "$ENV{CMAKE_PREFIX_PATH}")
foreach(prefix IN LISTS CMAKE_PREFIX_PATH environment_prefixes REELYARD_VENV)
  file(GLOB in_environment ${prefix}/lib/python3*/site-packages/torch)
  list(APPEND candidates ${prefix} ${in_environment})
endforeach()
set(REELYARD_TORCH_ROOT "")
foreach(candidate IN LISTS candidates)
  if(EXISTS ${candidate}/include/ATen/ATen.h)
    cmake_path(SET REELYARD_TORCH_ROOT NORMALIZE ${candidate})
    break()
  endif()
endforeach()

if(REELYARD_TORCH_ROOT)
  foreach(header headeronly/version.h csrc/api/include/torch/version.h version.h)
    set(header ${REELYARD_TORCH_ROOT}/include/torch/${header})
    if(EXISTS ${header})
      file(STRINGS ${header} lines REGEX "^#define TORCH_VERSION_(MAJOR|MINOR|PATCH) [0-9]+")
      string(REGEX MATCHALL "[0-9]+" numbers "${lines}")
      if(numbers)
        list(JOIN numbers . REELYARD_TORCH_VERSION)
        break()
      endif()
    endif()
  endforeach()
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(ReelyardTorch
    REQUIRED_VARS REELYARD_TORCH_ROOT REELYARD_TORCH_VERSION
    VERSION_VAR REELYARD_TORCH_VERSION
    REASON_FAILURE_MESSAGE "run cmake/setup.sh, or name your own with -DTorch_DIR=DIR/share/cmake/Torch")

if(ReelyardTorch_FOUND AND NOT TARGET reelyard::torch)
  set(lib ${REELYARD_TORCH_ROOT}/lib)
  if(REELYARD_HAVE_CUDA AND NOT EXISTS ${lib}/libtorch_cuda.so)
    if(REELYARD_CUDA STREQUAL "ON")
      message(FATAL_ERROR "REELYARD_CUDA is ON but LibTorch in ${REELYARD_TORCH_ROOT} is built without CUDA")
    endif()
    message(STATUS "LibTorch is built without CUDA: building for the CPU alone")
    set(REELYARD_HAVE_CUDA OFF)
  endif()

  add_library(reelyard::torch INTERFACE IMPORTED GLOBAL)
  # Only LibTorch's own headers and the one that its vector types need: beside them lie copies of others (fmt, ...) that would hide the system's.
  set(include ${PROJECT_BINARY_DIR}/torch_include)
  file(MAKE_DIRECTORY ${include})
  foreach(name ATen c10 caffe2 torch sleef.h)
    file(CREATE_LINK ${REELYARD_TORCH_ROOT}/include/${name} ${include}/${name} SYMBOLIC)
  endforeach()
  target_include_directories(reelyard::torch SYSTEM INTERFACE ${include})
  target_link_directories(reelyard::torch INTERFACE ${lib})
  # The wheel finds its own CUDA libraries when it is loaded; the linker need not.
  target_link_options(reelyard::torch INTERFACE -Wl,--allow-shlib-undefined)
  target_link_libraries(reelyard::torch INTERFACE ${lib}/libtorch_cpu.so ${lib}/libc10.so Threads::Threads)
  if(REELYARD_HAVE_CUDA)
    # Kernels register themselves while their library is loaded, so it is kept although nothing names its symbols. The
    # toolkit's headers stay out of this target: objects that need none of them are then the same as in a CPU build.
    target_link_libraries(reelyard::torch INTERFACE
        -Wl,--push-state,--no-as-needed ${lib}/libtorch_cuda.so -Wl,--pop-state)
    add_library(reelyard::cuda INTERFACE IMPORTED GLOBAL)
    target_link_libraries(reelyard::cuda INTERFACE ${lib}/libc10_cuda.so CUDA::cudart)

    find_path(REELYARD_NCCL_INCLUDE nccl.h
        HINTS ${REELYARD_TORCH_ROOT}/../nvidia/nccl/include ${CUDAToolkit_INCLUDE_DIRS} REQUIRED)
    find_library(REELYARD_NCCL_LIBRARY NAMES nccl libnccl.so.2
        HINTS ${REELYARD_TORCH_ROOT}/../nvidia/nccl/lib ${CUDAToolkit_LIBRARY_DIR} REQUIRED)
    mark_as_advanced(REELYARD_NCCL_INCLUDE REELYARD_NCCL_LIBRARY)
    add_library(reelyard::nccl INTERFACE IMPORTED GLOBAL)
    target_include_directories(reelyard::nccl SYSTEM INTERFACE ${REELYARD_NCCL_INCLUDE})
    target_link_libraries(reelyard::nccl INTERFACE ${REELYARD_NCCL_LIBRARY})
  endif()
endif()
