#include "explanation_output.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <vector>

#include "diffuse/base/progress.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/base/unicode.hpp"
#include "diffuse/explain/explainer.hpp"
#include "json_string.hpp"

namespace diffuse::cli {
namespace {

template <class... Values>
void add(std::string& out, fmt::format_string<Values...> format, Values&&... values) {
  fmt::format_to(std::back_inserter(out), format, std::forward<Values>(values)...);
}

bool is_network(const ExplainedPart& part) {
  return part.kind != PartKind::ngram && part.kind != PartKind::characters;
}

/// The part as the user wrote it, on one line.
std::string words_of(const ExplainedPart& part, std::string_view text) {
  constexpr std::size_t kMost = 60;
  if (part.places.empty()) return "(no word of the text)";
  std::string words;
  for (const char c : part.places.front().of(text)) {
    const bool blank = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (!blank || !words.ends_with(' ')) words.push_back(blank ? ' ' : c);
  }
  if (words.ends_with(' ')) words.pop_back();
  return printable(words, kMost);
}

/// What the part is: "n-gram, 2 times".
std::string kind_of(const ExplainedPart& part) {
  std::string kind;
  switch (part.kind) {
    case PartKind::word:
      kind = part.unknown ? "network, unknown word" : "network";
      break;
    case PartKind::pair:
      kind = "network, pair";
      break;
    case PartKind::added:
      kind = "network";
      break;
    case PartKind::ngram:
      kind = "n-gram";
      break;
    case PartKind::characters:
      kind = "characters";
      break;
  }
  if (part.places.size() > 1) kind += fmt::format(", {} times", part.places.size());
  return kind;
}

double others(const ShownExplanation& shown) {
  double sum = 0;
  for (std::size_t i = shown.most; i < shown.explanation.parts.size(); ++i)
    sum += shown.explanation.parts[i].contribution;
  return sum;
}

/// `value` in JSON, which has no word for what is not finite.
std::string number_in_json(double value, int digits) {
  return std::isfinite(value) ? fmt::format("{:.{}g}", value, digits) : "null";
}

std::size_t shown_parts(const ShownExplanation& shown) {
  return std::min(shown.most, shown.explanation.parts.size());
}

/// Bytes of a text to code points; asked for from left to right it reads the text once.
class CodePoints {
 public:
  explicit CodePoints(std::string_view text) : text_(text) {}
  std::size_t before(std::size_t byte) {
    if (byte < byte_) byte_ = count_ = 0;
    for (; byte_ < byte; ++byte_)
      count_ += (static_cast<unsigned char>(text_[byte_]) & 0xC0U) != 0x80U ? 1 : 0;
    return count_;
  }

 private:
  std::string_view text_;
  std::size_t byte_ = 0;
  std::size_t count_ = 0;
};

}  // namespace

void add_explanation_lines(const ShownExplanation& shown, std::string& out) {
  constexpr std::size_t kWidest = 40;
  const Explanation& explanation = shown.explanation;
  if (explanation.parts.empty()) {
    out += "  nothing of it is known: the answer is the training rows' shares\n";
    return;
  }
  std::vector<std::string> words;
  std::size_t widest = 0;
  for (std::size_t i = 0; i < shown_parts(shown); ++i) {
    words.push_back(words_of(explanation.parts[i], shown.text));
    widest = std::max(widest, std::min(display_width(words.back()), kWidest));
  }
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::size_t width = display_width(words[i]);
    add(out, "  {:+.3f}  {}{:{}}  {}\n", explanation.parts[i].contribution, words[i], "",
        widest - std::min(width, widest), kind_of(explanation.parts[i]));
  }
  if (const std::size_t more = explanation.parts.size() - words.size(); more > 0)
    add(out, "  {:+.3f}  {} more\n", others(shown), format_count(static_cast<std::int64_t>(more)));
  add(out, "  {:+.3f}  without words\n", explanation.baseline);
  if (std::abs(explanation.error()) > Explainer::kTolerance)
    add(out, "  {:+.3f}  not accounted for\n", explanation.error());
  add(out, "  = {:.3f}  logit\n", explanation.logit);
  if (explanation.read_end < shown.text.size()) {
    CodePoints points(shown.text);
    const std::size_t read = points.before(explanation.read_end);
    add(out, "  the network has not read the last {} characters (tokenizer.max_tokens)\n",
        format_count(static_cast<std::int64_t>(points.before(shown.text.size()) - read)));
  }
}

void add_explanation_cell(const ShownExplanation& shown, std::string& out) {
  for (std::size_t i = 0; i < shown_parts(shown); ++i) {
    const ExplainedPart& part = shown.explanation.parts[i];
    add(out, "{}{} {:+.3f} ({})", i == 0 ? "" : "; ", escape_tsv(words_of(part, shown.text)),
        part.contribution, kind_of(part));
  }
}

void add_explanation_json(const ShownExplanation& shown, std::string_view label, std::string& out) {
  const Explanation& explanation = shown.explanation;
  CodePoints points(shown.text);
  constexpr int kDigits = 7;
  constexpr int kErrorDigits = 3;
  add(out, R"({{"class": {}, "logit": {}, "baseline": {}, "text": {}, "parts": [)", label,
      number_in_json(explanation.logit, kDigits), number_in_json(explanation.baseline, kDigits),
      json_string(std::string(shown.text)));
  for (std::size_t i = 0; i < shown_parts(shown); ++i) {
    const ExplainedPart& part = explanation.parts[i];
    out += i == 0 ? "{" : ", {";
    if (part.places.empty()) {
      out += R"("text": null, "start": null, "end": null)";
    } else {
      const TextSpan first = part.places.front();
      const std::size_t start = points.before(first.begin);
      add(out, R"("text": {}, "start": {}, "end": {})",
          json_string(std::string(first.of(shown.text))), start, points.before(first.end));
    }
    add(out, R"(, "branch": "{}", "contribution": {})", is_network(part) ? "network" : "ngrams",
        number_in_json(part.contribution, kDigits));
    if (part.unknown) out += R"(, "unknown": true)";
    if (part.kind == PartKind::characters) out += R"(, "characters": true)";
    for (std::size_t p = 0; part.places.size() > 1 && p < part.places.size(); ++p) {
      const std::size_t start = points.before(part.places[p].begin);
      add(out, "{}[{}, {}]", p == 0 ? R"(, "places": [)" : ", ", start,
          points.before(part.places[p].end));
    }
    out += part.places.size() > 1 ? "]}" : "}";
  }
  add(out, R"(], "others": {}, "error": {})", number_in_json(others(shown), kDigits),
      number_in_json(explanation.error(), kErrorDigits));
  if (explanation.read_end < shown.text.size())
    add(out, R"(, "network_end": {})", points.before(explanation.read_end));
  out += '}';
}

}  // namespace diffuse::cli
