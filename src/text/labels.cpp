#include "diffuse/text/labels.hpp"

#include <fmt/core.h>

#include <utility>

#include "diffuse/base/error.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/base/unicode.hpp"
#include "lines_file.hpp"

namespace diffuse {

Labels::Labels(std::vector<std::string> names) : names_(std::move(names)) {
  for (std::size_t i = 0; i < names_.size(); ++i) {
    const std::string& name = names_[i];
    if (name.empty()) {
      throw DataError(fmt::format("label {} is empty; every class needs a name", i));
    }
    if (name.find_first_of("\r\n") != std::string::npos) {
      throw DataError(
          fmt::format("label {} '{}' holds a line break; a label file has one name a line", i,
                      printable(name)));
    }
    const auto [known, added] = index_.emplace(name, static_cast<std::int32_t>(i));
    if (!added) {
      throw DataError(fmt::format("labels {} and {} have the same name '{}'; names must differ",
                                  known->second, i, printable(name)));
    }
    if (std::string canonical = canonical_name(name); canonical != name) {
      canonical_.emplace(std::move(canonical), known->second);
    }
  }
}

Labels Labels::read(const std::filesystem::path& path) {
  return Labels(read_distinct_names(path, "label"));
}

Labels Labels::read_stored(const std::filesystem::path& path) {
  std::vector<std::string> lines = read_distinct_lines(path, "label").strings();
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].find('\r') != std::string::npos) {
      throw DataError(
          fmt::format("{}:{}: label '{}' holds a carriage return; expected one label a "
                      "line, ended by LF or CRLF",
                      path.string(), i + 1, printable(lines[i])));
    }
  }
  return Labels(std::move(lines));
}

std::string Labels::text() const {
  std::string content;
  for (const std::string& name : names_) content.append(name).push_back('\n');
  return content;
}

std::optional<std::int32_t> Labels::find(std::string_view name) const {
  if (const auto found = index_.find(std::string(name)); found != index_.end()) {
    return found->second;
  }
  const std::string canonical = canonical_name(name);
  for (const auto* const index : {&index_, &canonical_}) {
    if (const auto found = index->find(canonical); found != index->end()) return found->second;
  }
  return std::nullopt;
}

}  // namespace diffuse
