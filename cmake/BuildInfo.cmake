# diffuse_generate_build_info(TARGET): writes generated/build_info_values.hpp before TARGET is built
# and puts its folder on TARGET's private include path. The commit is looked up at every build; the
# file changes, and its one user is compiled again, only when a value did.
function(diffuse_generate_build_info target)
  set(folder "${PROJECT_BINARY_DIR}/generated")
  find_package(Git QUIET)
  add_custom_target(diffuse_build_info_values
    COMMAND "${CMAKE_COMMAND}"
      "-DGIT=${GIT_EXECUTABLE}" "-DSOURCE=${PROJECT_SOURCE_DIR}"
      "-DTEMPLATE=${PROJECT_SOURCE_DIR}/cmake/build_info_values.hpp.in"
      "-DOUTPUT=${folder}/build_info_values.hpp"
      "-DVERSION=${PROJECT_VERSION}" "-DBUILD_TYPE=${CMAKE_BUILD_TYPE}"
      "-DCOMPILER=${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}"
      "-DLIBTORCH_VERSION=${LIBTORCH_VERSION}" "-DCUDA_MODULE=$<BOOL:${DIFFUSE_CUDA_MODULE}>"
      "-DCUDA_REASON=${DIFFUSE_CUDA_REASON}" "-DFLAGS=${DIFFUSE_FLAGS}"
      "-DCHECKS=${DIFFUSE_CHECKS}" "-DTESTS=$<IF:$<BOOL:${BUILD_TESTING}>,ON,OFF>"
      "-DSUMMARY_FILE=${DIFFUSE_SUMMARY_FILE}"
      -P "${PROJECT_SOURCE_DIR}/cmake/WriteBuildInfo.cmake"
    BYPRODUCTS "${folder}/build_info_values.hpp"
    COMMENT "Looking up the commit" VERBATIM)
  add_dependencies(${target} diffuse_build_info_values)
  target_include_directories(${target} PRIVATE "${folder}")
endfunction()
