#pragma once

#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "diffuse/base/unicode.hpp"
#include "diffuse/base/utf8.hpp"
#include "place_recorder.hpp"
#include "unicode.hpp"

namespace diffuse {

/// Splits text for the `words` tokenizer, in normal form C: letters, numbers and marks form words;
/// whatever shows as a blank and control characters part them, as does the zero-width space; other
/// format characters (soft hyphens, joiners, byte order marks) and variation selectors vanish;
/// every other character is a token of its own. In scripts without blanks between words each letter
/// is a token, with its marks and what a stacking sign hangs below it. Words are lower-cased code
/// point by code point if `lowercase`.
///
/// `Emit` is called as `emit(std::string_view word)` or, where it can be, as `emit(word, places)`
/// with the place in `text` of each of the word's code points.
template <class Emit>
class PlainWordSplitter {
 public:
  PlainWordSplitter(bool lowercase, Emit emit) : lowercase_(lowercase), emit_(std::move(emit)) {}

  void split(std::string_view text) {
    std::vector<NfcStretch> stretches;
    text = nfc(text, normal_, kPlaced ? &stretches : nullptr);
    if (lowercase_) text = lower_ascii(text);
    if constexpr (kPlaced) recorder_.start(text, std::move(stretches));
    const char* at = text.data();
    const char* const end = at + text.size();
    while (at < end) {
      const char* const run = at;
      while (at < end && role(*at) == AsciiRole::word) ++at;
      if (at > run) add_ascii_run(run, at, at < end && role(*at) == AsciiRole::none);
      if (at == end) break;
      switch (role(*at)) {
        case AsciiRole::none: {
          const DecodedCodePoint decoded = decode_utf8(at, end);
          if constexpr (kPlaced) place_ = recorder_.place(at, at + decoded.length);
          add_code_point(decoded.code_point);
          at += decoded.length;
          continue;
        }
        case AsciiRole::alone:
          end_word();
          note(at, at + 1);
          emit(std::string_view(at, 1));
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
  static constexpr bool kPlaced = std::is_invocable_v<Emit&, std::string_view, Places>;

  static AsciiRole role(char c) { return kAsciiRoles[static_cast<unsigned char>(c)]; }

  /// In one pass over the whole text, which is faster than letter by letter.
  std::string_view lower_ascii(std::string_view text) {
    lower_.assign(text);
    for (char& c : lower_) c = ascii_lower(c);
    return lower_;
  }

  /// `goes_on`: what stands behind may belong to the same word.
  void add_ascii_run(const char* begin, const char* end, bool goes_on) {
    if (word_.empty() && !goes_on) {  // nearly every word: emitted where it stands
      note(begin, end);
      emit(std::string_view(begin, static_cast<std::size_t>(end - begin)));
      return;
    }
    if (unit_) end_word();
    note(begin, end);
    word_.append(begin, end);
  }

  void add_code_point(char32_t c) {
    const CharGroup group = char_group(c);
    switch (group) {
      case CharGroup::format:
        if (c == kZeroWidthSpace) end_word();
        return;
      case CharGroup::separator:
      case CharGroup::control:
        end_word();
        return;
      case CharGroup::letter:
      case CharGroup::number:
        if (is_blank(c)) break;
        add_letter(c, group == CharGroup::letter && is_unspaced(c));
        return;
      case CharGroup::nonspacing_mark:
      case CharGroup::other_mark:
        if (!is_invisible(c)) append(c);
        return;
      case CharGroup::punctuation:
      case CharGroup::symbol:
      case CharGroup::unassigned:
      case CharGroup::private_use:
        break;
    }
    end_word();
    if (is_blank(c)) return;
    note();
    append_utf8(c, word_);
    end_word();
  }

  /// `unit`: of a script without blanks.
  void add_letter(char32_t c, bool unit) {
    // Khmer's coeng and Myanmar's virama hang the next letter below the one before.
    const bool below = unit_ && unit && (last_ == 0x17D2 || last_ == 0x1039);
    if ((unit || unit_) && !below) end_word();
    append(c);
    unit_ = unit;
  }

  void append(char32_t c) {
    note();
    append_utf8(lowercase_ ? lower_case(c) : c, word_);
    last_ = c;
  }

  void end_word() {
    if (!word_.empty()) emit(std::string_view(word_));
    word_.clear();
    unit_ = false;
  }

  void emit(std::string_view word) {
    if constexpr (kPlaced) {
      emit_(word, recorder_.places());
      recorder_.clear();
    } else {
      emit_(word);
    }
  }
  /// ASCII characters are about to become a part of the word.
  void note(const char* begin, const char* end) {
    if constexpr (kPlaced) recorder_.add_each(begin, end);
  }
  /// The code point at hand is about to.
  void note() {
    if constexpr (kPlaced) recorder_.add(place_);
  }

  bool lowercase_;
  Emit emit_;
  std::string normal_;
  std::string lower_;
  std::string word_;
  bool unit_ = false;  // `word_` is of a script without blanks
  char32_t last_ = 0;  // the code point appended last
  // Where places are asked for:
  PlaceRecorder recorder_;
  TextSpan place_;  // of the code point at hand
};

}  // namespace diffuse
