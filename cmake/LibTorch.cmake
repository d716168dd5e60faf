# LibTorch as imported targets of our own: diffuse::torch_cpu and, where there is a CUDA half and a
# toolkit, diffuse::torch_cuda. The wheel's own CMake files refuse to configure without a CUDA
# toolkit, and link the CUDA half into everything with one.
#
# Looked for in: -DDIFFUSE_LIBTORCH=DIR, the environment's DIFFUSE_LIBTORCH, what scripts/setup.sh
# puts into .deps. DIR holds include/ and lib/ (a LibTorch zip, or the `torch` folder of a wheel).

set(DIFFUSE_LIBTORCH "$ENV{DIFFUSE_LIBTORCH}" CACHE PATH "LibTorch folder (holds include/ and lib/)")
find_path(LIBTORCH_ROOT include/ATen/ATen.h
  PATHS "${DIFFUSE_LIBTORCH}" "${PROJECT_SOURCE_DIR}/.deps/libtorch-cuda/torch"
        "${PROJECT_SOURCE_DIR}/.deps/libtorch-cpu/torch"
  NO_DEFAULT_PATH NO_CACHE)
if(NOT LIBTORCH_ROOT)
  message(FATAL_ERROR "LibTorch not found. Run scripts/setup.sh, or give -DDIFFUSE_LIBTORCH=DIR "
                      "where DIR holds include/ and lib/.")
endif()

# The defines stand in headeronly/ from 2.10 on, in csrc/api before.
find_file(LIBTORCH_VERSION_HEADER version.h
  PATHS "${LIBTORCH_ROOT}/include/torch/headeronly"
        "${LIBTORCH_ROOT}/include/torch/csrc/api/include/torch"
  NO_DEFAULT_PATH NO_CACHE REQUIRED)
set(LIBTORCH_VERSION "")
foreach(part MAJOR MINOR PATCH)
  file(STRINGS "${LIBTORCH_VERSION_HEADER}" line REGEX "define TORCH_VERSION_${part} ")
  string(REGEX REPLACE ".* ([0-9]+).*" "\\1" number "${line}")
  list(APPEND LIBTORCH_VERSION "${number}")
endforeach()
list(JOIN LIBTORCH_VERSION "." LIBTORCH_VERSION)
if(LIBTORCH_VERSION VERSION_LESS 2.6 OR LIBTORCH_VERSION VERSION_GREATER_EQUAL 3)
  message(FATAL_ERROR "LibTorch ${LIBTORCH_VERSION} in ${LIBTORCH_ROOT}: 2.6 or later 2.x is needed.")
endif()

add_library(diffuse::c10 SHARED IMPORTED)
set_target_properties(diffuse::c10 PROPERTIES IMPORTED_LOCATION "${LIBTORCH_ROOT}/lib/libc10.so")
add_library(diffuse::torch_cpu SHARED IMPORTED)
set_target_properties(diffuse::torch_cpu PROPERTIES
  IMPORTED_LOCATION "${LIBTORCH_ROOT}/lib/libtorch_cpu.so"
  INTERFACE_INCLUDE_DIRECTORIES
    "${LIBTORCH_ROOT}/include;${LIBTORCH_ROOT}/include/torch/csrc/api/include"
  INTERFACE_LINK_LIBRARIES diffuse::c10
  # libtorch_cpu.so finds its own libraries by its RUNPATH; the linker need not.
  INTERFACE_LINK_OPTIONS "-Wl,--unresolved-symbols=ignore-in-shared-libs")
