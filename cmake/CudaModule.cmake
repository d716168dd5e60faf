# Whether the CUDA module is built: DIFFUSE_CUDA_MODULE (true or false) and, for the summary,
# DIFFUSE_CUDA_REASON. Defines diffuse::torch_cuda and CUDA::cudart where it is.

set(DIFFUSE_CUDA AUTO CACHE STRING "Build the CUDA module: AUTO (where it can be), ON or OFF")
set_property(CACHE DIFFUSE_CUDA PROPERTY STRINGS AUTO ON OFF)

function(diffuse_cuda_verdict module reason)
  set(DIFFUSE_CUDA_MODULE ${module} PARENT_SCOPE)
  set(DIFFUSE_CUDA_REASON "${reason}" PARENT_SCOPE)
endfunction()

# The CUDA version a wheel was built for stands in version.py; a zip's folder has none.
set(libtorch_cuda_major "")
if(EXISTS "${LIBTORCH_ROOT}/version.py")
  file(STRINGS "${LIBTORCH_ROOT}/version.py" line REGEX "^cuda.*'[0-9]+\\.[0-9]+'")
  if(line MATCHES "'([0-9]+)\\.")
    set(libtorch_cuda_major "${CMAKE_MATCH_1}")
  endif()
endif()

if(NOT DIFFUSE_CUDA MATCHES "^(AUTO|ON|OFF)$")
  message(FATAL_ERROR "DIFFUSE_CUDA=${DIFFUSE_CUDA}: expected AUTO, ON or OFF.")
elseif(DIFFUSE_CUDA STREQUAL "OFF")
  diffuse_cuda_verdict(OFF "switched off by DIFFUSE_CUDA")
elseif(NOT EXISTS "${LIBTORCH_ROOT}/lib/libtorch_cuda.so")
  diffuse_cuda_verdict(OFF "this LibTorch has no CUDA half")
else()
  find_package(CUDAToolkit QUIET)
  if(NOT CUDAToolkit_FOUND)
    diffuse_cuda_verdict(OFF "no CUDA toolkit (nvcc) found")
  elseif(libtorch_cuda_major AND NOT CUDAToolkit_VERSION_MAJOR EQUAL libtorch_cuda_major)
    diffuse_cuda_verdict(OFF
      "LibTorch is for CUDA ${libtorch_cuda_major}, the toolkit is ${CUDAToolkit_VERSION}")
  else()
    diffuse_cuda_verdict(ON "toolkit ${CUDAToolkit_VERSION}")
  endif()
endif()

if(DIFFUSE_CUDA STREQUAL "ON" AND NOT DIFFUSE_CUDA_MODULE)
  message(FATAL_ERROR "DIFFUSE_CUDA=ON, but the CUDA module cannot be built: "
                      "${DIFFUSE_CUDA_REASON} (LibTorch: ${LIBTORCH_ROOT}). scripts/setup.sh fetches "
                      "the LibTorch with a CUDA half where there is a toolkit; DIFFUSE_CUDA=OFF does "
                      "without the module.")
endif()

if(DIFFUSE_CUDA_MODULE)
  # Turing has no bf16 of its own; what is newer than Hopper runs the last one's portable form.
  set(CMAKE_CUDA_ARCHITECTURES 75-real 80-real 90 CACHE STRING "GPUs that the kernels are compiled for")
  set(CMAKE_CUDA_COMPILER "${CUDAToolkit_NVCC_EXECUTABLE}" CACHE FILEPATH "CUDA compiler")
  set(CMAKE_CUDA_HOST_COMPILER "${CMAKE_CXX_COMPILER}" CACHE FILEPATH "Its compiler for the host")
  enable_language(CUDA)
  # Debian's CMake (3.25) does not know that nvcc has C++20.
  if(NOT DEFINED CMAKE_CUDA20_STANDARD_COMPILE_OPTION)
    set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
    set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION -std=c++20)
  endif()
  add_library(diffuse::c10_cuda SHARED IMPORTED)
  set_target_properties(diffuse::c10_cuda PROPERTIES
    IMPORTED_LOCATION "${LIBTORCH_ROOT}/lib/libc10_cuda.so")
  add_library(diffuse::torch_cuda SHARED IMPORTED)
  set_target_properties(diffuse::torch_cuda PROPERTIES
    IMPORTED_LOCATION "${LIBTORCH_ROOT}/lib/libtorch_cuda.so"
    INTERFACE_LINK_LIBRARIES "diffuse::c10_cuda;diffuse::torch_cpu")
endif()
