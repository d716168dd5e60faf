#include "string_table.hpp"

#include <algorithm>
#include <bit>

namespace diffuse {
namespace {

constexpr std::size_t kFewestSlots = 16;

}  // namespace

void StringTable::reserve(std::size_t tokens, std::size_t bytes) {
  bytes_.reserve(bytes);
  begins_.reserve(tokens);
  const std::size_t slots = std::bit_ceil(std::max(kFewestSlots, tokens + tokens / 2 + 2));
  if (slots > slots_.size()) grow(slots);
}

std::pair<std::int32_t, bool> StringTable::insert(std::string_view token) {
  if (2 * slots_.size() < 3 * (begins_.size() + 1)) grow(std::max(kFewestSlots, 2 * slots_.size()));
  const Key key(token);
  Slot& slot = slots_[place(token, key)];
  if (slot.index != kMissing) return {slot.index, false};
  slot = {key.head_, key.tag(), size()};
  begins_.push_back(bytes_.size());
  bytes_.append(token);
  max_length_ = std::max(max_length_, token.size());
  return {slot.index, true};
}

std::string StringTable::lines() const {
  std::string lines;
  lines.reserve(bytes_.size() + begins_.size());
  for (std::int32_t index = 0; index < size(); ++index) lines.append(token(index)).push_back('\n');
  return lines;
}

std::vector<std::string> StringTable::strings() const {
  std::vector<std::string> strings;
  for (std::int32_t index = 0; index < size(); ++index) strings.emplace_back(token(index));
  return strings;
}

void StringTable::grow(std::size_t slots) {
  slots_.assign(slots, Slot{});
  for (std::int32_t index = 0; index < size(); ++index) {
    const std::string_view known = token(index);
    const Key key(known);
    slots_[place(known, key)] = {key.head_, key.tag(), index};
  }
}

}  // namespace diffuse
