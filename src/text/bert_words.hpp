#pragma once

#include <algorithm>
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

/// Splits text as BERT does before WordPiece (Devlin et al. 2018, `BasicTokenizer`), in the order
/// of the Hugging Face `tokenizers` package (BertNormalizer, then BertPreTokenizer):
/// 1. cleaning: NUL, U+FFFD, control, format and private-use characters vanish, white space
///    becomes a space;
/// 2. spaces around CJK ideographs;
/// 3. if `lowercase`: canonical decomposition (marks in canonical order) without the marks of
///    category Mn, then lower case, code point by code point;
/// 4. words between spaces, every punctuation mark a word of its own.
///
/// `Emit` is called as `emit(std::string_view word)` or, where it can be, as `emit(word, places)`
/// with the place in `text` of what each of the word's code points was made of.
template <class Emit>
class BertWordSplitter {
 public:
  BertWordSplitter(bool lowercase, Emit emit) : lowercase_(lowercase), emit_(std::move(emit)) {}

  void split(std::string_view text) {
    const char* at = text.data();
    const char* const end = at + text.size();
    if constexpr (kPlaced) recorder_.start(text);
    while (at < end) {
      const char* const run = at;
      while (at < end && role(*at) == AsciiRole::word) ++at;
      if (at > run) add_ascii_run(run, at);
      if (at == end) break;
      switch (role(*at)) {
        case AsciiRole::space:
          end_word();
          ++at;
          break;
        case AsciiRole::alone:
          end_word();
          note(at, at + 1);
          emit(std::string_view(at, 1));
          ++at;
          break;
        case AsciiRole::control:  // cleaned away, so the word goes on
        case AsciiRole::word:
          ++at;
          break;
        case AsciiRole::none: {
          const DecodedCodePoint decoded = decode_utf8(at, end);
          if constexpr (kPlaced) place_ = recorder_.place(at, at + decoded.length);
          add_code_point(decoded.code_point);
          at += decoded.length;
          break;
        }
      }
    }
    end_word();
  }

 private:
  static constexpr bool kPlaced = std::is_invocable_v<Emit&, std::string_view, Places>;
  struct Mark {
    int order = 0;  // its combining class
    char32_t code_point = 0;
    TextSpan place{};
  };

  static AsciiRole role(char c) { return kAsciiRoles[static_cast<unsigned char>(c)]; }

  void add_ascii_run(const char* begin, const char* end) {
    if (!marks_.empty()) flush_marks();
    const std::size_t old = word_.size();
    note(begin, end);
    word_.append(begin, end);
    if (lowercase_) {
      for (std::size_t i = old; i < word_.size(); ++i) word_[i] = ascii_lower(word_[i]);
    }
  }

  void add_code_point(char32_t c) {
    if (is_white_space(c) && c != 0x85) {  // U+0085 is a control character first
      end_word();
      return;
    }
    const CharGroup group = char_group(c);
    if (group == CharGroup::control || group == CharGroup::format ||
        group == CharGroup::private_use || c == kReplacementCharacter) {
      return;
    }
    const bool cjk = is_cjk_ideograph(c);
    if (cjk) end_word();
    if (lowercase_) {
      const Decomposition parts = decompose(c);
      for (int i = 0; i < parts.length; ++i) add_decomposed(parts.code_points[i]);
    } else {
      append(c);
    }
    if (cjk) end_word();
  }

  /// Marks wait until the next starter, to be put into canonical order.
  void add_decomposed(char32_t c) {
    const int order = combining_class(c);
    if (order != 0) {
      marks_.push_back({order, c, place_});
      return;
    }
    if (!marks_.empty()) flush_marks();
    append_without_accents(c);
  }

  void flush_marks() {
    std::stable_sort(marks_.begin(), marks_.end(),
                     [](const Mark& a, const Mark& b) { return a.order < b.order; });
    const TextSpan own = place_;
    for (const Mark& mark : marks_) {
      place_ = mark.place;
      append_without_accents(mark.code_point);
    }
    place_ = own;
    marks_.clear();
  }

  void append_without_accents(char32_t c) {
    if (c >= 0x80 && char_group(c) == CharGroup::nonspacing_mark) return;
    append(lower_case(c));
  }

  void append(char32_t c) {
    const bool alone =
        c < 0x80 ? kAsciiRoles[c] == AsciiRole::alone : char_group(c) == CharGroup::punctuation;
    if (!alone) {
      note();
      append_utf8(c, word_);
      return;
    }
    emit_word();
    mark_.clear();
    append_utf8(c, mark_);
    note();
    emit(std::string_view(mark_));
  }

  void end_word() {
    if (!marks_.empty()) flush_marks();
    emit_word();
  }
  void emit_word() {
    if (!word_.empty()) emit(std::string_view(word_));
    word_.clear();
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
  std::string word_;
  std::string mark_;
  std::vector<Mark> marks_;
  // Where places are asked for:
  PlaceRecorder recorder_;
  TextSpan place_{};  // of the code point at hand
};

}  // namespace diffuse
