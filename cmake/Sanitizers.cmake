# DIFFUSE_SANITIZE=address,undefined instruments everything of ours; LibTorch stays as it is.
set(DIFFUSE_SANITIZE "" CACHE STRING "Sanitizers, separated by commas (address,undefined)")
if(DIFFUSE_SANITIZE)
  # vptr looks for type information that LibTorch does not export.
  set(flags "-fsanitize=${DIFFUSE_SANITIZE}" -fno-sanitize=vptr -fno-omit-frame-pointer
            -fno-sanitize-recover=all)
  add_compile_options(${flags})
  add_link_options(${flags})
endif()
