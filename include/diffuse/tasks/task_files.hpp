#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "diffuse/tasks/row_random.hpp"

namespace diffuse {

/// A file that was made.
struct TaskFile {
  std::string name;
  std::int64_t bytes = 0;
  std::string xxh3_128;
};

/// How many rows to make of each file, 0: no such file.
struct SplitRows {
  std::int64_t train = 0;
  std::int64_t validation = 0;
  std::int64_t test = 0;

  std::int64_t of(Split split) const {
    return split == Split::train ? train : split == Split::validation ? validation : test;
  }
  std::int64_t all() const { return train + validation + test; }
};

/// The order in which files are made: the test file first, so that what is in it depends on no
/// other file where a row must not come twice.
inline constexpr std::array kSplitsInOrder = {Split::test, Split::validation, Split::train};

/// Told after each row; may throw to end the work.
using OnTaskRow = std::function<void(Split split, std::int64_t done, std::int64_t rows)>;

}  // namespace diffuse
