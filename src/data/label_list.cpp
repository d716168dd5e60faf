#include "label_list.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "column_names.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/base/unicode.hpp"

namespace diffuse {
namespace {

ReadStatus fail(BadRow& bad, std::string problem, std::string expected) {
  bad = {0, std::move(problem), std::move(expected)};
  return ReadStatus::bad;
}

/// The labels of a row, each once, in their order.
class DistinctLabels {
 public:
  explicit DistinctLabels(std::vector<std::string>& to) : to_(to) { to_.clear(); }

  void add(std::string label) {
    constexpr std::size_t kFew = 16;
    if (to_.size() < kFew) {
      if (std::ranges::find(to_, label) == to_.end()) to_.push_back(std::move(label));
      return;
    }
    // To look through many for each would take the square of their number.
    if (known_.empty()) known_.insert(to_.begin(), to_.end());
    if (known_.insert(label).second) to_.push_back(std::move(label));
  }

 private:
  std::vector<std::string>& to_;
  std::unordered_set<std::string> known_;  // empty: there are few
};

ReadStatus add_label(std::string_view text, DistinctLabels& to, BadRow& bad) {
  std::string label = canonical_name(text);
  if (label.empty()) return ReadStatus::row;
  if (label.find_first_of("\n\r") != std::string::npos)
    return fail(bad, fmt::format("the label \"{}\" holds a line break", printable(label)),
                "class names or numbers on one line");
  if (label.find('\0') != std::string::npos) return fail(bad, "NUL character in the row", "text");
  to.add(std::move(label));
  return ReadStatus::row;
}

bool is_label(const nlohmann::ordered_json& value) {
  return value.is_string() || value.is_number() || value.is_boolean();
}

std::string text_of(const nlohmann::ordered_json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

}  // namespace

std::string shown_separator(const std::string& separator) {
  return fmt::format("\"{}\" (data.label_separator)", printable(separator));
}

ReadStatus split_labels(std::string_view cell, const std::string& separator,
                        std::vector<std::string>& to, BadRow& bad) {
  DistinctLabels labels(to);
  for (;;) {
    const std::size_t end = cell.find(separator);
    if (add_label(cell.substr(0, end), labels, bad) == ReadStatus::bad) return ReadStatus::bad;
    if (end == std::string_view::npos) return ReadStatus::row;
    cell.remove_prefix(end + separator.size());
  }
}

ReadStatus read_label_list(const nlohmann::ordered_json& value, const std::string& key,
                           const std::string& separator, std::vector<std::string>& to,
                           BadRow& bad) {
  if (is_label(value)) return split_labels(text_of(value), separator, to, bad);
  DistinctLabels labels(to);
  if (!value.is_array())
    return fail(bad,
                fmt::format("the labels {} are of type {}", shown_name(key), value.type_name()),
                "a list of labels ([] for none), or one string");
  for (const auto& entry : value) {
    if (!is_label(entry))
      return fail(
          bad, fmt::format("the labels {} hold one of type {}", shown_name(key), entry.type_name()),
          "strings, numbers, true or false");
    const std::string text = text_of(entry);
    if (text.find(separator) != std::string::npos && canonical_name(text) != "")
      return fail(bad,
                  fmt::format("the label \"{}\" holds the separator {}", printable(text, 40),
                              shown_separator(separator)),
                  "labels without it, or a separator that no label holds");
    if (add_label(text, labels, bad) == ReadStatus::bad) return ReadStatus::bad;
  }
  return ReadStatus::row;
}

}  // namespace diffuse
