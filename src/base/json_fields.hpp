#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace diffuse {

/// The members of one JSON object, read with their types checked. Each function throws DataError,
/// beginning with `place`, which is where the object stands (`file:line`).
class JsonFields {
 public:
  JsonFields(const nlohmann::json& object, std::string place)
      : object_(object), place_(std::move(place)) {}

  /// NaN for null, which is how a number that is not finite is written.
  double number(const char* key) const;
  /// Refuses null.
  double finite_number(const char* key) const;
  /// Absent where the member is missing or null.
  std::optional<double> optional_number(const char* key) const;
  /// From 0 to 2^63 - 1.
  std::int64_t count(const char* key) const;
  std::optional<std::int64_t> optional_count(const char* key) const;
  std::string text(const char* key) const;
  bool flag(const char* key) const;
  /// False where the member is missing.
  bool optional_flag(const char* key) const;
  JsonFields object(const char* key) const;
  /// Absent where the member is missing or null.
  std::optional<JsonFields> optional_object(const char* key) const;
  /// Absent for null; the member must be there.
  std::optional<JsonFields> object_or_null(const char* key) const;
  /// Counts of a list; empty where the member is missing.
  std::vector<std::int64_t> counts(const char* key) const;
  std::vector<std::string> texts(const char* key) const;
  /// Numbers of a list, none of them null.
  std::vector<double> finite_numbers(const char* key) const;

 private:
  /// Null where the member is missing.
  const nlohmann::json* find(const char* key) const;
  const nlohmann::json& require(const char* key, std::string_view expected) const;
  std::int64_t as_count(const nlohmann::json& value, const char* key) const;
  [[noreturn]] void refuse(const char* key, const nlohmann::json& value,
                           std::string_view expected) const;

  const nlohmann::json& object_;
  std::string place_;
};

}  // namespace diffuse
