# reelyard_test(<file>_test.cpp [RANKS <n>...] [LABELS <label>...] [LINKS <target>...] [TIMEOUT <seconds>] [SOURCES <file>...])
#
# Makes one program from the file. In tests/unit/<module>/ it becomes the test unit/<module>/<file>; with RANKS (usually in
# tests/mpi/<module>/) it is started under mpirun once for each count, as mpi/<module>/<file>@<n>, and failures of all ranks are
# reported. The module of the folder's name is linked; LINKS adds others (reelyard::store, reelyard::torch, ...).
# The label torch_free is given to tests that need no LibTorch (target reelyard_torch_free_tests: run under sanitizers), the label
# cuda where the module has CUDA_SOURCES (target reelyard_cuda_tests: run in the CUDA build).
# A test program knows the string REELYARD_FIXTURES (the folder tests/fixtures) and the headers below tests/support/include.
set(REELYARD_TEST_CORES 2 CACHE STRING "Cores that the tests may use together")

set(REELYARD_MPIRUN_FLAGS --oversubscribe --bind-to none)
execute_process(COMMAND id -u OUTPUT_VARIABLE user_id OUTPUT_STRIP_TRAILING_WHITESPACE)
if(user_id EQUAL 0)
  list(APPEND REELYARD_MPIRUN_FLAGS --allow-run-as-root)
endif()

add_custom_target(reelyard_torch_free_tests)
add_custom_target(reelyard_cuda_tests)

function(reelyard_test file)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "RANKS;LABELS;LINKS;SOURCES")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "test '${file}': unknown arguments ${arg_UNPARSED_ARGUMENTS}")
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  cmake_path(RELATIVE_PATH CMAKE_CURRENT_SOURCE_DIR BASE_DIRECTORY ${PROJECT_SOURCE_DIR}/tests OUTPUT_VARIABLE folder)
  string(REGEX REPLACE "^(unit|mpi)/" "" path ${folder})
  string(REGEX REPLACE "/.*" "" module ${path})
  cmake_path(GET file STEM stem)
  string(REGEX REPLACE "_test$" "" stem ${stem})
  set(kind unit)
  if(arg_RANKS)
    set(kind mpi)
  endif()

  string(REPLACE "/" "_" target test_${kind}_${path}_${stem})
  add_executable(${target} ${file} ${arg_SOURCES})
  set(module_link "")
  if(TARGET reelyard_${module})  # not for folders like parity/
    set(module_link reelyard::${module})
  endif()
  target_link_libraries(${target} PRIVATE ${module_link} ${arg_LINKS} reelyard_warnings GTest::gmock)
  target_compile_definitions(${target} PRIVATE REELYARD_FIXTURES="${PROJECT_SOURCE_DIR}/tests/fixtures")
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/tests/support/include)
  reelyard_test_links_torch(torch ${module_link} ${arg_LINKS})
  if(torch)
    reelyard_use_torch_pch(${target})
  else()
    list(APPEND arg_LABELS torch_free)
    add_dependencies(reelyard_torch_free_tests ${target})
  endif()
  if(TARGET reelyard_${module}_cuda)
    list(APPEND arg_LABELS cuda)
    add_dependencies(reelyard_cuda_tests ${target})
  endif()

  if(kind STREQUAL "unit")
    target_link_libraries(${target} PRIVATE reelyard_unit_main)
    add_test(NAME unit/${path}/${stem} COMMAND ${target})
    reelyard_test_properties(unit/${path}/${stem} 1)
  else()
    target_link_libraries(${target} PRIVATE reelyard_mpi_main)
    foreach(ranks IN LISTS arg_RANKS)
      add_test(NAME mpi/${path}/${stem}@${ranks}
          COMMAND ${MPIEXEC_EXECUTABLE} ${REELYARD_MPIRUN_FLAGS} -n ${ranks} $<TARGET_FILE:${target}>)
      reelyard_test_properties(mpi/${path}/${stem}@${ranks} ${ranks})
    endforeach()
  endif()
endfunction()

# Labels, timeout (from the caller's `arg_...`), and threads such that ranks times threads is at most the machine's cores.
macro(reelyard_test_properties name ranks)
  math(EXPR threads "${REELYARD_TEST_CORES} / ${ranks}")
  if(threads LESS 1)
    set(threads 1)
  endif()
  # Threads that wait by spinning steal the cores from tests beside them.
  set(environment OMP_NUM_THREADS=${threads} OMP_WAIT_POLICY=passive OMPI_MCA_mpi_yield_when_idle=1
      OMPI_MCA_btl_vader_single_copy_mechanism=none)
  if(REELYARD_SANITIZE AND kind STREQUAL "mpi")
    list(APPEND environment ASAN_OPTIONS=detect_leaks=0)  # Open MPI leaks
  endif()
  set_tests_properties(${name} PROPERTIES
      TIMEOUT ${arg_TIMEOUT} LABELS "${kind};${arg_LABELS}" PROCESSORS ${ranks} ENVIRONMENT "${environment}")
endmacro()

# Sets `result` to true when one of the targets links LibTorch, directly or through others.
function(reelyard_test_links_torch result)
  set(pending ${ARGN})
  set(seen "")
  while(pending)
    list(POP_FRONT pending target)
    if(target STREQUAL "reelyard::torch")
      set(${result} TRUE PARENT_SCOPE)
      return()
    endif()
    if(NOT TARGET ${target} OR target IN_LIST seen)
      continue()
    endif()
    list(APPEND seen ${target})
    get_target_property(links ${target} INTERFACE_LINK_LIBRARIES)
    if(links)
      list(APPEND pending ${links})
    endif()
  endwhile()
  set(${result} FALSE PARENT_SCOPE)
endfunction()
