#include "diffuse/tasks/row_random.hpp"

namespace diffuse {

std::string_view split_name(Split split) {
  switch (split) {
    case Split::train:
      return "train";
    case Split::validation:
      return "validation";
    case Split::test:
      return "test";
  }
  return "";
}

Random row_random(std::uint64_t seed, Split split, std::int64_t row, std::int64_t redraw) {
  const std::uint64_t of_file = mix_seed(seed, static_cast<std::uint64_t>(split));
  const std::uint64_t of_row = mix_seed(of_file, static_cast<std::uint64_t>(row));
  return Random(redraw == 0 ? of_row : mix_seed(of_row, static_cast<std::uint64_t>(redraw)));
}

}  // namespace diffuse
