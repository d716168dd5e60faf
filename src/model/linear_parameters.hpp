#pragma once

#include <cstdint>

namespace diffuse {

/// Parameters of a linear map with a bias.
constexpr std::int64_t linear_parameter_count(std::int64_t in, std::int64_t out) {
  return (in + 1) * out;
}

}  // namespace diffuse
