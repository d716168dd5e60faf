#include "label_checks.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "diffuse/base/log.hpp"
#include "diffuse/base/progress.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/base/unicode.hpp"

namespace diffuse {

std::vector<std::string> describe_look_alikes(const Labels& labels,
                                              std::span<const std::int64_t> counts) {
  const auto count = [&](std::int64_t index) { return counts[static_cast<std::size_t>(index)]; };
  std::map<std::string, std::vector<std::int64_t>> by_key;
  for (std::int64_t i = 0; i < labels.size(); ++i) {
    by_key[look_alike_key(labels.name(i))].push_back(i);
  }
  struct Group {
    std::int64_t rows = 0;
    std::vector<std::int64_t> members;
  };
  std::vector<Group> groups;
  for (auto& [key, members] : by_key) {
    if (members.size() < 2) continue;
    std::stable_sort(members.begin(), members.end(),
                     [&](std::int64_t a, std::int64_t b) { return count(a) > count(b); });
    std::int64_t rows = 0;
    for (const std::int64_t i : members) rows += count(i);
    groups.push_back({rows, std::move(members)});
  }
  std::stable_sort(groups.begin(), groups.end(),
                   [](const Group& a, const Group& b) { return a.rows > b.rows; });

  std::vector<std::string> lines;
  for (const Group& group : groups) {
    constexpr std::size_t kShown = 10;
    std::vector<std::string> shown;
    for (const std::int64_t i : group.members) {
      if (shown.size() == kShown) {
        shown.push_back(fmt::format("… ({} in all)", group.members.size()));
        break;
      }
      shown.push_back(fmt::format("\"{}\" ({} row{})", printable(labels.name(i)),
                                  format_count(count(i)), count(i) == 1 ? "" : "s"));
    }
    lines.push_back(join(shown, ", "));
  }
  return lines;
}

void warn_of_look_alikes(const std::string& name, const Labels& labels,
                         std::span<const std::int64_t> counts) {
  constexpr std::size_t kShown = 5;
  const std::vector<std::string> groups = describe_look_alikes(labels, counts);
  for (std::size_t i = 0; i < std::min(groups.size(), kShown); ++i) {
    log::warning(
        "{}: labels that differ by case, width, blanks or the writing of a number alone are "
        "classes of "
        "their own: {}; if they mean the same, write them the same in the file",
        name, groups[i]);
  }
  if (groups.size() > kShown) {
    log::warning("{}: {} more groups of labels that differ by so little", name,
                 format_count(static_cast<long long>(groups.size() - kShown)));
  }
}

namespace {

/// Of the labels that hold `separator`, one whose parts stand in others, too; nothing where most
/// parts do not come again.
std::optional<std::string> several_in_one(const Labels& labels, char separator) {
  constexpr std::size_t kFewest = 3;
  std::set<std::string> parts;
  std::size_t all = 0;
  std::size_t joined = 0;
  std::string example;
  for (const std::string& label : labels.names()) {
    std::size_t begin = 0;
    const bool is_joined = label.find(separator) != std::string::npos;
    for (;;) {
      const std::size_t end = label.find(separator, begin);
      while (begin < std::min(end, label.size()) && label[begin] == ' ') ++begin;
      parts.insert(label.substr(begin, end - begin));
      ++all;
      if (end == std::string::npos) break;
      begin = end + 1;
    }
    if (is_joined && ++joined == 1) example = label;
  }
  return joined >= kFewest && 2 * parts.size() <= all ? std::optional(example) : std::nullopt;
}

}  // namespace

void warn_of_separator(const EncodedDataset& data, const Labels& labels, const std::string& name,
                       const std::string& separator) {
  if (data.several_labels()) {
    for (std::size_t row = 0; row < data.size(); ++row)
      if (data.targets().shares(row).size() > 1) return;
    log::warning(
        "{}: no row has more than one label; is data.label_separator = \"{}\" what stands "
        "between them?",
        name, printable(separator));
    return;
  }
  for (const char mark : {'|', ';', ','}) {
    if (const auto example = several_in_one(labels, mark))
      log::warning(
          "{}: labels such as \"{}\" are one class each; if they are several labels, say so: --set "
          "'data.label_separator={}'",
          name, printable(*example), mark);
  }
}

}  // namespace diffuse
