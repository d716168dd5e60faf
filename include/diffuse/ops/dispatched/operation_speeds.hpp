#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <string>
#include <vector>

namespace diffuse {

/// How fast an operation of ours (text_rows.hpp, initial_state.hpp, row_norm.hpp,
/// bias_activation.hpp) is.
struct OperationSpeed {
  std::string operation{};  ///< "neighbour_mix, gradient"
  double time_s = 0;        ///< of one call, the median of some
  double bytes_per_s = 0;   ///< of what it must read and write at least
  double of_copy = 0;       ///< the same, as a part of what copying has
};

/// Times every operation and its gradient, and first a copy, in float32 on texts of 64 rows, `rows`
/// [rows, dim] in all.
std::vector<OperationSpeed> operation_speeds(at::Device device, std::int64_t rows,
                                             std::int64_t dim);

}  // namespace diffuse
