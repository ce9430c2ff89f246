# Compiles through ccache, so that a second build folder, a fresh clone, or the CUDA build beside the CPU build reuses objects.
# The settings travel in the launcher's command line: nobody has to configure ccache.
if(REELYARD_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(REELYARD_CCACHE_PROGRAM ccache)
  find_program(REELYARD_ENV_PROGRAM env)
  if(REELYARD_CCACHE_PROGRAM AND REELYARD_ENV_PROGRAM)
    # Paths below this folder are hashed relative to the build folder.
    set(base_dir ${PROJECT_BINARY_DIR})
    cmake_path(IS_PREFIX PROJECT_SOURCE_DIR ${PROJECT_BINARY_DIR} NORMALIZE inside)
    if(inside)
      set(base_dir ${PROJECT_SOURCE_DIR})
    endif()
    set(launcher
        ${REELYARD_ENV_PROGRAM} CCACHE_BASEDIR=${base_dir} CCACHE_NOHASHDIR=1
        CCACHE_SLOPPINESS=pch_defines,time_macros ${REELYARD_CCACHE_PROGRAM})
    set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
    set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
    set(CMAKE_CUDA_COMPILER_LAUNCHER ${launcher})
  endif()
endif()
