# reelyard_module(<name> LAYER <n> SOURCES <file>... HEADERS <file>... [USES <module>...] [LINKS <target>...]
#                 [PRIVATE_LINKS <target>...] [CUDA_SOURCES <file>...] [STAND_IN_SOURCES <file>...] [NO_PCH])
#
# Makes the static library reelyard::<name>. LAYER is the level of the module in docs/design; a module may use only modules of a
# strictly lower layer, anything else stops the configuration. SOURCES are relative to src/<name>/; HEADERS are the public
# headers, relative to include/reelyard/<name>/ (private ones need no mention). LINKS names libraries from outside (cmake/dependencies.cmake); a
# module that links reelyard::torch is compiled with the precompiled header unless NO_PCH is given.
# CUDA_SOURCES are compiled in a CUDA build, with the CUDA and NCCL headers; STAND_IN_SOURCES in all other builds, in their place.
# `base` must be listed in USES like any other module. Appends "<name>:<use>,<use>" to the global property REELYARD_MODULES for
# cmake/check_layering.cmake.
function(reelyard_module name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "NO_PCH" "LAYER" "SOURCES;HEADERS;USES;LINKS;PRIVATE_LINKS;CUDA_SOURCES;STAND_IN_SOURCES")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "module '${name}': unknown arguments ${arg_UNPARSED_ARGUMENTS}")
  endif()
  if(NOT DEFINED arg_LAYER)
    message(FATAL_ERROR "module '${name}': LAYER is missing")
  endif()
  foreach(dep IN LISTS arg_USES)
    if(NOT TARGET reelyard_${dep})
      message(FATAL_ERROR "module '${name}' uses '${dep}', which is not defined (yet)")
    endif()
    get_target_property(layer reelyard_${dep} REELYARD_LAYER)
    if(NOT layer LESS arg_LAYER)
      message(FATAL_ERROR "module '${name}' (layer ${arg_LAYER}) may not use '${dep}' (layer ${layer})")
    endif()
  endforeach()

  add_library(reelyard_${name} STATIC)
  add_library(reelyard::${name} ALIAS reelyard_${name})
  set_target_properties(reelyard_${name} PROPERTIES REELYARD_LAYER ${arg_LAYER} VERIFY_INTERFACE_HEADER_SETS ON)
  list(TRANSFORM arg_HEADERS PREPEND ${PROJECT_SOURCE_DIR}/include/reelyard/${name}/)
  target_sources(reelyard_${name} PRIVATE ${arg_SOURCES}
      PUBLIC FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}/include FILES ${arg_HEADERS})
  target_include_directories(reelyard_${name} PRIVATE ${PROJECT_SOURCE_DIR}/src/${name})
  if(REELYARD_CONTRACTS)
    target_compile_definitions(reelyard_${name} PUBLIC REELYARD_CONTRACTS=1)
  else()
    target_compile_definitions(reelyard_${name} PUBLIC REELYARD_CONTRACTS=0)
  endif()

  list(JOIN arg_USES "," uses)
  set_property(GLOBAL APPEND PROPERTY REELYARD_MODULES "${name}:${uses}")
  list(TRANSFORM arg_USES PREPEND reelyard::)
  target_link_libraries(reelyard_${name} PUBLIC ${arg_USES} ${arg_LINKS} PRIVATE ${arg_PRIVATE_LINKS} $<BUILD_INTERFACE:reelyard_warnings>)
  set_target_properties(reelyard_${name} PROPERTIES EXPORT_NAME ${name})
  install(TARGETS reelyard_${name} EXPORT reelyard ARCHIVE COMPONENT library FILE_SET HEADERS COMPONENT library)
  if("reelyard::torch" IN_LIST arg_LINKS AND NOT arg_NO_PCH)
    reelyard_use_torch_pch(reelyard_${name})
  endif()

  if(NOT REELYARD_HAVE_CUDA)
    target_sources(reelyard_${name} PRIVATE ${arg_STAND_IN_SOURCES})
  elseif(arg_CUDA_SOURCES)
    add_library(reelyard_${name}_cuda OBJECT ${arg_CUDA_SOURCES})
    target_include_directories(reelyard_${name}_cuda PRIVATE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src/${name})
    target_link_libraries(reelyard_${name}_cuda
        PRIVATE ${arg_USES} ${arg_LINKS} reelyard::cuda reelyard::nccl reelyard_warnings)
    target_sources(reelyard_${name} PRIVATE $<TARGET_OBJECTS:reelyard_${name}_cuda>)
    target_link_libraries(reelyard_${name} PRIVATE reelyard::cuda reelyard::nccl)
  endif()
endfunction()

# Call once after all modules: writes the table of modules and adds the test.
function(reelyard_check_layering)
  get_property(modules GLOBAL PROPERTY REELYARD_MODULES)
  list(JOIN modules "\n" text)
  file(WRITE ${PROJECT_BINARY_DIR}/modules.txt "${text}\n")
  add_test(NAME layering COMMAND ${CMAKE_COMMAND} -DROOT=${PROJECT_SOURCE_DIR}
      -DMODULES=${PROJECT_BINARY_DIR}/modules.txt -P ${PROJECT_SOURCE_DIR}/cmake/check_layering.cmake)
endfunction()
