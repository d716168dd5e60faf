# diffuse_generate_build_info(TARGET): writes generated/build_info_values.hpp before TARGET is built
# and puts its folder on TARGET's private include path. The commit is looked up at every build; the
# file changes, and its one user is compiled again, only when a value did.
function(diffuse_generate_build_info target)
  set(folder "${PROJECT_BINARY_DIR}/generated")
  find_package(Git QUIET)
  set(build_type "${CMAKE_BUILD_TYPE}")
  if(DIFFUSE_SANITIZE)
    string(APPEND build_type ", sanitizers ${DIFFUSE_SANITIZE}")
  endif()
  add_custom_target(diffuse_build_info_values
    COMMAND "${CMAKE_COMMAND}"
      "-DGIT=${GIT_EXECUTABLE}" "-DSOURCE=${PROJECT_SOURCE_DIR}"
      "-DTEMPLATE=${PROJECT_SOURCE_DIR}/cmake/build_info_values.hpp.in"
      "-DOUTPUT=${folder}/build_info_values.hpp"
      "-DVERSION=${PROJECT_VERSION}" "-DBUILD_TYPE=${build_type}"
      "-DCOMPILER=${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}"
      "-DLIBTORCH_VERSION=${LIBTORCH_VERSION}" "-DCUDA_MODULE=$<BOOL:${DIFFUSE_CUDA_MODULE}>"
      -P "${PROJECT_SOURCE_DIR}/cmake/WriteBuildInfo.cmake"
    BYPRODUCTS "${folder}/build_info_values.hpp"
    COMMENT "Looking up the commit" VERBATIM)
  add_dependencies(${target} diffuse_build_info_values)
  target_include_directories(${target} PRIVATE "${folder}")
endfunction()
