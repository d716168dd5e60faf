#include "token_table.hpp"

#include <algorithm>

namespace diffuse {

std::pair<std::int32_t, bool> TokenTable::insert(std::string_view token) {
  if (slots_.size() < 2 * (begins_.size() + 1)) grow();
  const std::uint64_t hash = hash_of(token);
  Slot& slot = slots_[place(token, hash)];
  if (slot.index != kMissing) return {slot.index, false};
  slot = {tag_of(hash), size()};
  begins_.push_back(bytes_.size());
  bytes_.append(token);
  max_length_ = std::max(max_length_, token.size());
  return {slot.index, true};
}

void TokenTable::grow() {
  slots_.assign(std::max<std::size_t>(16, 2 * slots_.size()), Slot{});
  for (std::int32_t index = 0; index < size(); ++index) {
    const std::string_view known = token(index);
    const std::uint64_t hash = hash_of(known);
    slots_[place(known, hash)] = {tag_of(hash), index};
  }
}

}  // namespace diffuse
