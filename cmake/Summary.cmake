# One block at the end of the configuration; `diffuse version` prints the same facts, with the commit
# and what it finds on its machine.
string(TOUPPER "${CMAKE_BUILD_TYPE}" type)
string(STRIP "${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_${type}}" flags)
set(cuda "no: ${DIFFUSE_CUDA_REASON}")
if(DIFFUSE_CUDA_MODULE)
  set(cuda "yes, ${DIFFUSE_CUDA_REASON}")
endif()
set(checks "")
if(DIFFUSE_WERROR)
  list(APPEND checks "warnings are errors")
endif()
if(DIFFUSE_SANITIZE)
  list(APPEND checks "sanitizers ${DIFFUSE_SANITIZE}")
endif()
list(JOIN checks ", " checks)
if(NOT checks)
  set(checks "none beyond warnings")
endif()
message(STATUS "diffuse ${PROJECT_VERSION}
     LibTorch     ${LIBTORCH_VERSION} in ${LIBTORCH_ROOT}
     CUDA module  ${cuda}
     Compiler     ${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}, ${CMAKE_BUILD_TYPE} (${flags})
     Checks       ${checks}
     Tests        ${BUILD_TESTING}")
