# What a build is made of. Sets DIFFUSE_FLAGS and DIFFUSE_CHECKS for the block that
# diffuse_print_summary() shows at the end of the configuration and that `diffuse version` shows too.
string(TOUPPER "${CMAKE_BUILD_TYPE}" type)
string(STRIP "${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_${type}}" DIFFUSE_FLAGS)
set(DIFFUSE_CHECKS "")
if(DIFFUSE_WERROR)
  list(APPEND DIFFUSE_CHECKS "warnings are errors")
endif()
if(DIFFUSE_SANITIZE)
  list(APPEND DIFFUSE_CHECKS "sanitizers ${DIFFUSE_SANITIZE}")
endif()
list(JOIN DIFFUSE_CHECKS ", " DIFFUSE_CHECKS)
if(NOT DIFFUSE_CHECKS)
  set(DIFFUSE_CHECKS "none beyond warnings")
endif()

function(diffuse_print_summary)
  set(cuda "no: ${DIFFUSE_CUDA_REASON}")
  if(DIFFUSE_CUDA_MODULE)
    set(cuda "yes, ${DIFFUSE_CUDA_REASON}")
  endif()
  message(STATUS "diffuse ${PROJECT_VERSION}
     LibTorch     ${LIBTORCH_VERSION} in ${LIBTORCH_ROOT}
     CUDA module  ${cuda}
     Compiler     ${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}, ${CMAKE_BUILD_TYPE} (${DIFFUSE_FLAGS})
     Checks       ${DIFFUSE_CHECKS}
     Tests        ${BUILD_TESTING}")
endfunction()
