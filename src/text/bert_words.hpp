#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "unicode.hpp"
#include "utf8.hpp"

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
/// `Emit` is called as `emit(std::string_view word)`.
template <class Emit>
class BertWordSplitter {
 public:
  BertWordSplitter(bool lowercase, Emit emit) : lowercase_(lowercase), emit_(std::move(emit)) {}

  void split(std::string_view text) {
    const char* at = text.data();
    const char* const end = at + text.size();
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
          emit_(std::string_view(at, 1));
          ++at;
          break;
        case AsciiRole::control:  // cleaned away, so the word goes on
        case AsciiRole::word:
          ++at;
          break;
        case AsciiRole::none: {
          const DecodedCodePoint decoded = decode_utf8(at, end);
          add_code_point(decoded.code_point);
          at += decoded.length;
          break;
        }
      }
    }
    end_word();
  }

 private:
  static AsciiRole role(char c) { return kAsciiRoles[static_cast<unsigned char>(c)]; }

  void add_ascii_run(const char* begin, const char* end) {
    if (!marks_.empty()) flush_marks();
    const std::size_t old = word_.size();
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
      marks_.emplace_back(order, c);
      return;
    }
    if (!marks_.empty()) flush_marks();
    append_without_accents(c);
  }

  void flush_marks() {
    std::stable_sort(marks_.begin(), marks_.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    for (const auto& mark : marks_) append_without_accents(mark.second);
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
      append_utf8(c, word_);
      return;
    }
    emit_word();
    mark_.clear();
    append_utf8(c, mark_);
    emit_(std::string_view(mark_));
  }

  void end_word() {
    if (!marks_.empty()) flush_marks();
    emit_word();
  }
  void emit_word() {
    if (!word_.empty()) emit_(std::string_view(word_));
    word_.clear();
  }

  bool lowercase_;
  Emit emit_;
  std::string word_;
  std::string mark_;
  std::vector<std::pair<int, char32_t>> marks_;
};

}  // namespace diffuse
