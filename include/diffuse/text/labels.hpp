#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace diffuse {

/// The class names; a class's index is its place in the list. New ones are made from canonical
/// names (base/unicode.hpp); those of a stored model stay as they are.
class Labels {
 public:
  Labels() = default;
  /// Throws DataError on a name that is empty, repeated or holds a line break.
  explicit Labels(std::vector<std::string> names);

  /// A file that a user wrote: one name a line, whatever ends it, taken in its canonical form;
  /// blank lines at the end do not count. Throws DataError (file:line).
  static Labels read(const std::filesystem::path& path);
  /// The content of a stored model's label file, and its way back, which changes no name. Throws
  /// DataError (file:line).
  std::string text() const;
  static Labels read_stored(const std::filesystem::path& path);

  std::int64_t size() const { return static_cast<std::int64_t>(names_.size()); }
  const std::string& name(std::int64_t index) const {
    return names_.at(static_cast<std::size_t>(index));
  }
  const std::vector<std::string>& names() const { return names_; }
  /// The class called `name`, exactly or else in its canonical form.
  std::optional<std::int32_t> find(std::string_view name) const;

 private:
  std::vector<std::string> names_;
  std::unordered_map<std::string, std::int32_t> index_;
  std::unordered_map<std::string, std::int32_t> canonical_;  // of names in another form
};

}  // namespace diffuse
