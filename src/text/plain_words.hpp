#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "unicode.hpp"
#include "utf8.hpp"

namespace diffuse {

/// Splits text for the `words` tokenizer: letters, numbers and marks form words; white space and
/// control characters part them, as does the zero-width space; other format characters (soft
/// hyphens, joiners) vanish; every other character, and every CJK ideograph, is a token of its own.
/// Words are lower-cased code point by code point if `lowercase`; nothing is normalised otherwise.
///
/// `Emit` is called as `emit(std::string_view word)`.
template <class Emit>
class PlainWordSplitter {
 public:
  PlainWordSplitter(bool lowercase, Emit emit) : lowercase_(lowercase), emit_(std::move(emit)) {}

  void split(std::string_view text) {
    const char* at = text.data();
    const char* const end = at + text.size();
    while (at < end) {
      const char* const run = at;
      while (at < end && role(*at) == AsciiRole::word) ++at;
      for (const char* c = run; c < at; ++c) word_.push_back(lowercase_ ? ascii_lower(*c) : *c);
      if (at == end) break;
      switch (role(*at)) {
        case AsciiRole::none: {
          const DecodedCodePoint decoded = decode_utf8(at, end);
          add_code_point(decoded.code_point);
          at += decoded.length;
          continue;
        }
        case AsciiRole::alone:
          end_word();
          word_.push_back(*at);
          end_word();
          break;
        case AsciiRole::space:
        case AsciiRole::control:
        case AsciiRole::word:
          end_word();
          break;
      }
      ++at;
    }
    end_word();
  }

 private:
  static constexpr char32_t kZeroWidthSpace = 0x200B;

  static AsciiRole role(char c) { return kAsciiRoles[static_cast<unsigned char>(c)]; }

  void add_code_point(char32_t c) {
    const bool cjk = is_cjk_ideograph(c);
    switch (char_group(c)) {
      case CharGroup::format:
        if (c == kZeroWidthSpace) end_word();
        return;
      case CharGroup::separator:
      case CharGroup::control:
        end_word();
        return;
      case CharGroup::letter:
      case CharGroup::number:
      case CharGroup::nonspacing_mark:
      case CharGroup::other_mark:
        if (cjk) break;
        append_utf8(lowercase_ ? lower_case(c) : c, word_);
        return;
      case CharGroup::punctuation:
      case CharGroup::symbol:
      case CharGroup::unassigned:
      case CharGroup::private_use:
        break;
    }
    end_word();
    append_utf8(c, word_);
    end_word();
  }

  void end_word() {
    if (!word_.empty()) emit_(std::string_view(word_));
    word_.clear();
  }

  bool lowercase_;
  Emit emit_;
  std::string word_;
};

}  // namespace diffuse
