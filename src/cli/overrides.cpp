#include "overrides.hpp"

#include <fmt/core.h>

#include <sstream>

#include "diffuse/base/error.hpp"
#include "diffuse/base/text_util.hpp"

namespace diffuse::cli {

Overrides parse_overrides(const std::vector<std::string>& set, std::vector<std::string>& faults) {
  Overrides overrides;
  for (const std::string& item : set) {
    const std::size_t split = item.find('=');
    if (split == std::string::npos || split == 0) {
      faults.push_back(fmt::format("--set {}: expected key=value, such as --set train.length=5e",
                                   printable(item)));
      continue;
    }
    overrides.emplace_back(item.substr(0, split), item.substr(split + 1));
  }
  return overrides;
}

std::string name_flags(const std::string& message,
                       const std::map<std::string, std::string>& flags) {
  constexpr std::string_view kPrefix = "command line: ";
  std::istringstream lines(message);
  std::vector<std::string> named;
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind(kPrefix, 0) == 0) {
      line.erase(0, kPrefix.size());
      const auto flag = flags.find(line.substr(0, line.find(':')));
      line = (flag == flags.end() ? "--set " : flag->second + ": ") + line;
    }
    named.push_back(std::move(line));
  }
  return join(named, "\n");
}

}  // namespace diffuse::cli
