# The precompiled <ATen/ATen.h>: parsing it takes six seconds, so it is done once for all targets that ask for it.
# A target that uses it must not change what the header sees: no other optimisation level, no -fopenmp, no -m options.
if(REELYARD_PCH)
  file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/torch_pch.cpp CONTENT "")
  add_library(reelyard_torch_pch OBJECT ${PROJECT_BINARY_DIR}/torch_pch.cpp)
  target_link_libraries(reelyard_torch_pch PRIVATE reelyard::torch reelyard_warnings)
  target_precompile_headers(reelyard_torch_pch PRIVATE <ATen/ATen.h>)
endif()

function(reelyard_use_torch_pch target)
  if(REELYARD_PCH)
    target_precompile_headers(${target} REUSE_FROM reelyard_torch_pch)
  endif()
endfunction()
