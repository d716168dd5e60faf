# LibTorch as imported targets of our own: diffuse::torch_cpu, and where LibTorch has a CUDA half
# diffuse::torch_cuda (used by the CUDA module alone). The wheel's own CMake files refuse to
# configure without a CUDA toolkit, and link the CUDA half into everything with one.
#
# Looked for in: -DDIFFUSE_LIBTORCH=DIR, the environment's DIFFUSE_LIBTORCH, what scripts/setup.sh
# puts into .deps. DIR holds include/ and lib/ (a LibTorch zip, or the `torch` folder of a wheel),
# or is the folder above that.

set(DIFFUSE_LIBTORCH "$ENV{DIFFUSE_LIBTORCH}" CACHE PATH "LibTorch folder (holds include/ and lib/)")
if(DIFFUSE_LIBTORCH)
  set(places "${DIFFUSE_LIBTORCH}")
else()
  set(places "${PROJECT_SOURCE_DIR}/.deps/libtorch-cuda" "${PROJECT_SOURCE_DIR}/.deps/libtorch-cpu")
endif()
find_path(LIBTORCH_ROOT include/ATen/ATen.h
  PATHS ${places} PATH_SUFFIXES torch NO_DEFAULT_PATH NO_CACHE)
if(NOT LIBTORCH_ROOT)
  list(JOIN places ", " places)
  message(FATAL_ERROR "LibTorch not found in ${places}. Run scripts/setup.sh, or give "
                      "-DDIFFUSE_LIBTORCH=DIR where DIR holds include/ and lib/.")
endif()
file(REAL_PATH "${LIBTORCH_ROOT}" LIBTORCH_ROOT)

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
foreach(library c10 torch_cpu)
  if(NOT EXISTS "${LIBTORCH_ROOT}/lib/lib${library}.so")
    message(FATAL_ERROR "${LIBTORCH_ROOT}/lib/lib${library}.so is missing: an incomplete LibTorch. "
                        "Run scripts/setup.sh again, or name another by -DDIFFUSE_LIBTORCH=DIR.")
  endif()
endforeach()

add_library(diffuse::c10 SHARED IMPORTED)
set_target_properties(diffuse::c10 PROPERTIES IMPORTED_LOCATION "${LIBTORCH_ROOT}/lib/libc10.so")
add_library(diffuse::torch_cpu SHARED IMPORTED)
set_target_properties(diffuse::torch_cpu PROPERTIES
  IMPORTED_LOCATION "${LIBTORCH_ROOT}/lib/libtorch_cpu.so"
  INTERFACE_INCLUDE_DIRECTORIES
    "${LIBTORCH_ROOT}/include;${LIBTORCH_ROOT}/include/torch/csrc/api/include"
  INTERFACE_LINK_LIBRARIES diffuse::c10
  # libtorch_cpu.so finds its own libraries by its own path; the linker need not.
  INTERFACE_LINK_OPTIONS "-Wl,--unresolved-symbols=ignore-in-shared-libs")

# diffuse_libtorch_path(OUTPUT FOLDER): the folder of LibTorch's libraries as a program in FOLDER
# writes it: from $ORIGIN where LibTorch lies in the project, else absolute.
function(diffuse_libtorch_path output folder)
  set(path "${LIBTORCH_ROOT}/lib")
  file(REAL_PATH "${PROJECT_SOURCE_DIR}" source)
  cmake_path(IS_PREFIX source "${path}" inside)
  if(inside)
    file(RELATIVE_PATH path "${folder}" "${path}")
    set(path "$ORIGIN/${path}")
  endif()
  set(${output} "${path}" PARENT_SCOPE)
endfunction()

# diffuse_output(TARGET FOLDER [OTHERS...]): puts a program or module into FOLDER of the build
# folder, with a RUNPATH of LibTorch's libraries and the OTHERS.
function(diffuse_output target folder)
  set(output "${PROJECT_BINARY_DIR}/${folder}")
  diffuse_libtorch_path(runpath "${output}")
  set_target_properties(${target} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY "${output}" LIBRARY_OUTPUT_DIRECTORY "${output}"
    # What CMake would write for a build folder is absolute.
    BUILD_WITH_INSTALL_RPATH ON INSTALL_RPATH "${runpath};${ARGN}")
  target_link_options(${target} PRIVATE "LINKER:--enable-new-dtags")
endfunction()
