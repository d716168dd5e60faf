#include "faults.hpp"

#include <fmt/format.h>

#include "diffuse/base/error.hpp"
#include "diffuse/base/text_util.hpp"

namespace diffuse {

void Faults::add(const std::string& where, const std::string& key, const std::string& message) {
  lines_.push_back(key.empty() ? fmt::format("{}: {}", where, message)
                               : fmt::format("{}: {}: {}", where, key, message));
}

void Faults::throw_if_any() const {
  if (!lines_.empty()) throw ConfigError(join(lines_, "\n"));
}

}  // namespace diffuse
