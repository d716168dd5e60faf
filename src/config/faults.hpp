#pragma once

#include <string>
#include <vector>

namespace diffuse {

/// Collects what is wrong, so that all of it is reported at once.
class Faults {
 public:
  /// One line, "where: key: message"; without `key`, "where: message".
  void add(const std::string& where, const std::string& key, const std::string& message);
  bool empty() const { return lines_.empty(); }
  const std::vector<std::string>& lines() const { return lines_; }
  /// Throws ConfigError with all lines, if there are any.
  void throw_if_any() const;

 private:
  std::vector<std::string> lines_;
};

}  // namespace diffuse
