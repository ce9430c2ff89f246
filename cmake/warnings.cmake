# Target `reelyard_warnings`: the warnings of our own code, and the sanitizers. Linked privately by every target of ours.
add_library(reelyard_warnings INTERFACE)
target_compile_options(reelyard_warnings INTERFACE
    $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wpedantic -Wshadow -Wconversion>)
if(REELYARD_WARNINGS_AS_ERRORS)
  target_compile_options(reelyard_warnings INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Werror>)
endif()
if(REELYARD_SANITIZE)
  target_compile_options(reelyard_warnings INTERFACE
      $<$<COMPILE_LANGUAGE:CXX>:-fsanitize=${REELYARD_SANITIZE} -fno-omit-frame-pointer>)
  target_link_options(reelyard_warnings INTERFACE -fsanitize=${REELYARD_SANITIZE})
endif()
