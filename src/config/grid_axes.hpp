#pragma once

#include <string>
#include <vector>

#include "faults.hpp"
#include "field.hpp"
#include "json_text.hpp"
#include "resolve.hpp"

namespace diffuse {

/// A key of a grid and its different values.
struct GridAxis {
  const Field* field = nullptr;
  std::vector<Value> values;
};
/// Whose values are all combined.
using GridAxes = std::vector<GridAxis>;

/// What the object or list of objects `json`, of the file `source`, stands for; faults beside.
/// `base`: the config that is varied.
std::vector<GridAxes> read_axes(const Json& json, const std::string& source,
                                const ValueSource& from, const Config& base, Faults& faults);

/// Adds the axis of each "key=value,value" to all of `products`.
void multiply_axes(std::vector<GridAxes>& products, const std::vector<std::string>& vary,
                   const Config& base, Faults& faults);

}  // namespace diffuse
