# Target `reelyard_warnings`: the warnings of our own code, and the sanitizers. Linked privately by every target of ours.
add_library(reelyard_warnings INTERFACE)
target_compile_options(reelyard_warnings INTERFACE
    $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wpedantic -Wshadow -Wconversion>)
if(REELYARD_WARNINGS_AS_ERRORS)
  target_compile_options(reelyard_warnings INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Werror>)
endif()
if(REELYARD_SANITIZE)
  # GCC warns of uninitialised members in the standard library once a sanitizer has changed the code.
  target_compile_options(reelyard_warnings INTERFACE
      $<$<COMPILE_LANGUAGE:CXX>:-fsanitize=${REELYARD_SANITIZE} -fno-omit-frame-pointer -Wno-maybe-uninitialized>)
  target_link_options(reelyard_warnings INTERFACE -fsanitize=${REELYARD_SANITIZE})
endif()
