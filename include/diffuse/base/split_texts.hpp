#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace diffuse {

/// The texts that stand in `bytes` one behind the other, each up to its place in `ends`. Views into
/// `bytes`.
inline std::vector<std::string_view> split_texts(std::string_view bytes,
                                                 std::span<const std::size_t> ends) {
  std::vector<std::string_view> texts;
  texts.reserve(ends.size());
  std::size_t begin = 0;
  for (const std::size_t end : ends) {
    texts.push_back(bytes.substr(begin, end - begin));
    begin = end;
  }
  return texts;
}

}  // namespace diffuse
