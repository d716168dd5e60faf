#pragma once

#include <cstdint>
#include <string_view>

#include "diffuse/base/random.hpp"

namespace diffuse {

/// The files of a task.
enum class Split : std::uint8_t { train, validation, test };

std::string_view split_name(Split split);

/// The numbers of one row: they depend on seed, file, row and, where a row has to be drawn again,
/// on how often it was drawn before; on nothing else. So rows may be made in any order by any
/// number of threads, and a file does not change with the number of rows of another.
Random row_random(std::uint64_t seed, Split split, std::int64_t row, std::int64_t redraw = 0);

}  // namespace diffuse
