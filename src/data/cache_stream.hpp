#pragma once

#include <fmt/core.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <system_error>

#include "cache_file.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/base/hash.hpp"

namespace diffuse {

inline constexpr std::size_t kHashDigits = 32;

/// Writes values and, at the end, the hash of all of them.
class CacheWriter {
 public:
  explicit CacheWriter(const std::filesystem::path& path)
      : path_(path), file_(path, std::ios::binary | std::ios::trunc) {
    check();
  }

  template <class T>
  void put(std::span<const T> values) {
    const auto bytes = std::as_bytes(values);
    hasher_.update(bytes);
    file_.write(reinterpret_cast<const char*>(bytes.data()),
                static_cast<std::streamsize>(bytes.size()));
    check();
  }
  void put(const std::string& text) { put(std::span<const char>(text)); }
  template <class T>
  void put_one(const T& value) {
    put(std::span<const T>(&value, 1));
  }

  void finish() {
    const std::string hash = hasher_.hex();
    file_.write(hash.data(), static_cast<std::streamsize>(hash.size()));
    file_.close();
    check();
  }

 private:
  void check() const {
    if (!file_) throw SystemError(fmt::format("{}: writing failed", path_.string()));
  }

  std::filesystem::path path_;
  std::ofstream file_;
  Hasher hasher_;
};

/// Reads them back. Throws DamagedCache for what was not written so.
class CacheReader {
 public:
  explicit CacheReader(const std::filesystem::path& path) : file_(path, std::ios::binary) {
    std::error_code error;
    remaining_ = std::filesystem::file_size(path, error);
    if (!file_ || error) throw DamagedCache("it cannot be read");
    if (remaining_ < kHashDigits) throw DamagedCache("it is too short");
    remaining_ -= kHashDigits;
  }

  template <class T>
  void get(std::span<T> values) {
    read(std::as_writable_bytes(values));
  }
  /// `count` is checked against the file's size before memory is taken for it.
  template <class Container>
  void get(Container& values, std::uint64_t count) {
    if (count > remaining_ / sizeof(values[0])) throw DamagedCache("it is too short");
    values.resize(static_cast<std::size_t>(count));
    get(std::span(values.data(), values.size()));
  }
  template <class T>
  T get_one() {
    T value;
    get(std::span<T>(&value, 1));
    return value;
  }

  void finish() {
    if (remaining_ != 0) throw DamagedCache("it is too long");
    const std::string wanted = hasher_.hex();
    std::string stored(kHashDigits, '\0');
    file_.read(stored.data(), static_cast<std::streamsize>(stored.size()));
    if (!file_ || stored != wanted) throw DamagedCache("its checksum is wrong");
  }

 private:
  void read(std::span<std::byte> bytes) {
    if (bytes.size() > remaining_) throw DamagedCache("it is too short");
    file_.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    if (!file_) throw DamagedCache("it cannot be read");
    remaining_ -= bytes.size();
    hasher_.update(bytes);
  }

  std::ifstream file_;
  std::uintmax_t remaining_ = 0;
  Hasher hasher_;
};

}  // namespace diffuse
