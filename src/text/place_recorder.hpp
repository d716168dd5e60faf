#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "diffuse/base/unicode.hpp"
#include "diffuse/text/text_span.hpp"

namespace diffuse {

/// Where the code points of a word stand in the text that it comes from, one span each.
using Places = std::span<const TextSpan>;

/// Gathers the places of the code points of one word after the other, for splitters that are asked
/// for them. What it is told are pointers into a normal form of the text.
class PlaceRecorder {
 public:
  /// `normal`: what is split; `stretches`: see `nfc`, which made it of the text.
  void start(std::string_view normal, std::vector<NfcStretch> stretches = {}) {
    begin_ = normal.data();
    stretches_ = std::move(stretches);
    next_ = 0;
    places_.clear();
  }

  /// The place in the text of what `begin` … `end` in the normal form was made of. Places are asked
  /// for from left to right.
  TextSpan place(const char* begin, const char* end) {
    const auto first = static_cast<std::size_t>(begin - begin_);
    while (next_ < stretches_.size() && stretches_[next_].normal_end <= first) ++next_;
    if (next_ < stretches_.size() && stretches_[next_].normal_begin <= first)
      return {stretches_[next_].begin, stretches_[next_].end};
    std::size_t in_text = first;
    if (next_ > 0) in_text = stretches_[next_ - 1].end + (first - stretches_[next_ - 1].normal_end);
    return {in_text, in_text + static_cast<std::size_t>(end - begin)};
  }

  void add(const TextSpan& place) { places_.push_back(place); }
  /// ASCII: a byte is a code point.
  void add_each(const char* begin, const char* end) {
    for (; begin < end; ++begin) add(place(begin, begin + 1));
  }

  Places places() const { return places_; }
  void clear() { places_.clear(); }

 private:
  const char* begin_ = nullptr;
  std::vector<NfcStretch> stretches_;
  std::size_t next_ = 0;  // the first stretch that does not end before what is asked for
  std::vector<TextSpan> places_;
};

}  // namespace diffuse
