#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace diffuse {

/// The class names; a class's index is its place in the list.
class Labels {
 public:
  Labels() = default;
  /// Throws DataError on a name that is empty, repeated or holds a line break.
  explicit Labels(std::vector<std::string> names);

  /// One name a line. Throws DataError (file:line).
  static Labels read(const std::filesystem::path& path);
  /// The content of a label file.
  std::string text() const;

  std::int64_t size() const { return static_cast<std::int64_t>(names_.size()); }
  const std::string& name(std::int64_t index) const {
    return names_.at(static_cast<std::size_t>(index));
  }
  const std::vector<std::string>& names() const { return names_; }
  std::optional<std::int32_t> find(std::string_view name) const;

 private:
  std::vector<std::string> names_;
  std::unordered_map<std::string, std::int32_t> index_;
};

}  // namespace diffuse
