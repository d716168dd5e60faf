# Third-party libraries other than LibTorch, header-only or static, so that the program needs
# nothing at run time but LibTorch and the C and C++ runtimes. Debian ships spdlog and fmt only as
# shared libraries or headers: we take the headers.

find_package(Threads REQUIRED)
find_package(CLI11 REQUIRED)
find_package(nlohmann_json REQUIRED)
add_library(diffuse::json ALIAS nlohmann_json::nlohmann_json)

function(diffuse_add_header_library name header)
  find_path(${name}_INCLUDE_DIR ${header} REQUIRED)
  add_library(diffuse_${name} INTERFACE)
  add_library(diffuse::${name} ALIAS diffuse_${name})
  target_include_directories(diffuse_${name} SYSTEM INTERFACE "${${name}_INCLUDE_DIR}")
endfunction()

function(diffuse_add_static_library name header archive)
  diffuse_add_header_library(${name} ${header})
  find_library(${name}_ARCHIVE ${archive} REQUIRED)
  target_link_libraries(diffuse_${name} INTERFACE "${${name}_ARCHIVE}")
endfunction()

diffuse_add_static_library(utf8proc utf8proc.h libutf8proc.a)
target_compile_definitions(diffuse_utf8proc INTERFACE UTF8PROC_STATIC)
diffuse_add_static_library(zlib zlib.h libz.a)
# Its headers alone: Debian has the library, which chooses the instruction set, only as a shared one.
diffuse_add_header_library(highway hwy/highway.h)
diffuse_add_header_library(xxhash xxhash.h)
target_compile_definitions(diffuse_xxhash INTERFACE XXH_INLINE_ALL)

# fmt, header-only.
diffuse_add_header_library(fmt fmt/core.h)
target_compile_definitions(diffuse_fmt INTERFACE FMT_HEADER_ONLY)

# spdlog, header-only on our fmt (its own header-only target would link the shared one). Costs
# 8 s a source, so only src/base/log.cpp includes it.
diffuse_add_header_library(spdlog spdlog/spdlog.h)
target_compile_definitions(diffuse_spdlog INTERFACE SPDLOG_FMT_EXTERNAL)
target_link_libraries(diffuse_spdlog INTERFACE diffuse::fmt)
