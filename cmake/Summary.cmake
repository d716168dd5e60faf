# What a build is made of: DIFFUSE_FLAGS, DIFFUSE_CHECKS, and the block that diffuse_print_summary()
# shows at the end of the configuration and leaves in DIFFUSE_SUMMARY_FILE for `diffuse version`.
set(DIFFUSE_SUMMARY_FILE "${PROJECT_BINARY_DIR}/generated/summary.txt")
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
  set(tests "no")
  if(BUILD_TESTING)
    set(tests "yes")
  endif()
  string(CONCAT summary
    "  LibTorch     ${LIBTORCH_VERSION} in ${LIBTORCH_ROOT}\n"
    "  CUDA module  ${cuda}\n"
    "  Compiler     ${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}, ${CMAKE_BUILD_TYPE} (${DIFFUSE_FLAGS})\n"
    "  Checks       ${DIFFUSE_CHECKS}\n"
    "  Tests        ${tests}\n")
  file(WRITE "${DIFFUSE_SUMMARY_FILE}" "${summary}")
  message(STATUS "diffuse ${PROJECT_VERSION}\n${summary}")
endfunction()
