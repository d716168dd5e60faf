#include "label_checks.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <map>

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

}  // namespace diffuse
