# DIFFUSE_SANITIZE=address,undefined instruments everything of ours; LibTorch stays as it is.
set(DIFFUSE_SANITIZE "" CACHE STRING "Sanitizers, separated by commas (address,undefined)")
if(DIFFUSE_SANITIZE)
  # vptr looks for type information that LibTorch does not export.
  set(flags "-fsanitize=${DIFFUSE_SANITIZE}" -fno-sanitize=vptr -fno-omit-frame-pointer
            -fno-sanitize-recover=all)
  # With checks in between, GCC 12 takes std::regex's own code for a use of uninitialised memory.
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    list(APPEND flags -Wno-maybe-uninitialized)
  endif()
  add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:${flags}>")
  add_link_options(${flags})
endif()
