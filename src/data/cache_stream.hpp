#pragma once

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>

#include "cache_file.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/base/hash.hpp"
#include "diffuse/data/chunk_memory.hpp"

namespace diffuse {

inline constexpr std::size_t kHashDigits = 32;
/// Where sections begin, so that what lies in them may be looked at where it is mapped.
inline constexpr std::size_t kSectionAlignment = 64;

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
    written_ += bytes.size();
    check();
  }
  void put(const std::string& text) { put(std::span<const char>(text)); }
  template <class T>
  void put_one(const T& value) {
    put(std::span<const T>(&value, 1));
  }
  /// Goes on where a section may begin.
  void align() {
    const std::array<char, kSectionAlignment> zeros{};
    const std::size_t over = written_ % kSectionAlignment;
    if (over > 0) put(std::span<const char>(zeros).first(kSectionAlignment - over));
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
  std::size_t written_ = 0;
};

/// Looks at them where they are mapped. Throws DamagedCache for what was not written so.
class CacheReader {
 public:
  explicit CacheReader(std::span<const std::byte> bytes) : bytes_(bytes) {
    if (bytes.size() < kHashDigits) throw DamagedCache("it is too short");
    end_ = bytes.size() - kHashDigits;
  }

  template <class T>
  std::span<const T> take(std::uint64_t count) {
    if (count > (end_ - place_) / sizeof(T)) throw DamagedCache("it is too short");
    const auto* const first = reinterpret_cast<const T*>(bytes_.data() + place_);
    place_ += static_cast<std::size_t>(count) * sizeof(T);
    return {first, static_cast<std::size_t>(count)};
  }
  template <class T>
  T take_one() {
    T value;
    std::memcpy(&value, take<char>(sizeof(T)).data(), sizeof(T));
    return value;
  }
  std::string take_text(std::uint64_t bytes) {
    const auto text = take<char>(bytes);
    return {text.begin(), text.end()};
  }
  void align() {
    const std::size_t over = place_ % kSectionAlignment;
    if (over > 0) take<char>(kSectionAlignment - over);
  }

  /// At the end: whether there is nothing more, and its hash is right. `looked_at()` is called when
  /// some more of it was.
  template <class LookedAt>
  void finish(const LookedAt& looked_at) const {
    constexpr std::size_t kBlock = std::size_t{64} << 20;
    if (place_ != end_) throw DamagedCache("it is too long");
    Hasher hasher;
    for (std::size_t begin = 0; begin < end_; begin += kBlock) {
      hasher.update(bytes_.subspan(begin, std::min(kBlock, end_ - begin)));
      looked_at();
    }
    const std::string wanted = hasher.hex();
    if (std::memcmp(wanted.data(), bytes_.data() + end_, kHashDigits) != 0)
      throw DamagedCache("its checksum is wrong");
  }

 private:
  std::span<const std::byte> bytes_;
  std::size_t place_ = 0;
  std::size_t end_ = 0;  // of what the hash is of
};

}  // namespace diffuse
