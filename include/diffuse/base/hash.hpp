#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace diffuse {

/// Streaming XXH3-128: keys of caches and the manifest's fingerprints, not a security measure.
class Hasher {
 public:
  Hasher();
  ~Hasher();
  void update(std::span<const std::byte> bytes);
  void update(std::string_view text);
  /// 32 lower-case hexadecimal digits of what was added so far.
  std::string hex() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// XXH3-64 of `bytes`, the same on every machine.
std::uint64_t hash64(std::string_view bytes);

}  // namespace diffuse
