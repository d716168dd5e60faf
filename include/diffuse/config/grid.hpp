#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "diffuse/config/config.hpp"

namespace diffuse {

/// One combination of a grid.
struct GridPoint {
  /// Each key of the grid and the value that `config` has for it, as JSON. A "${" in it is written
  /// "$${", as in config_json.
  std::vector<std::pair<std::string, std::string>> values;
  Config config;
};

struct Grid {
  std::vector<std::string> keys;  ///< that are varied, in the order in which they are named
  std::vector<GridPoint> points;  ///< all different, at least one
};

/// The combinations that `file` and `vary` make of the checked `base`. The file (JSON with //
/// comments) holds an object with a list of values for each key, {"model.dim": [64, 128]} or
/// {"model": {"dim": [64, 128]}}, which stands for all combinations, the last key's values changing
/// fastest; or a list of such objects, for those of each. Values are those of a config file:
/// variables are replaced, paths start from the file's folder. `vary` has texts
/// "key=value,value,...", or "key=[value, value]" in JSON, that multiply all of this; their paths
/// start from the working directory. Without either there is one point, `base`.
///
/// What chooses the rows on which the points are to be compared cannot be varied. Throws one
/// ConfigError that lists every fault: file or --vary, key, what was expected, and where values are
/// fine alone but not together the combination.
Grid read_grid(const std::filesystem::path& file, const std::vector<std::string>& vary,
               const Config& base);

/// `grid` as JSON that parse_grid makes the same of.
std::string grid_json(const Grid& grid);
/// `source` names the text in errors. Throws ConfigError.
Grid parse_grid(std::string_view json, const std::string& source, const Config& base);

/// A value of GridPoint for people: a text without its quotes, cut where it is long.
std::string grid_value_text(std::string_view value);
/// "model.dim = 64, train.length = 3e"; "the config as it is" without keys.
std::string grid_point_text(const GridPoint& point);

}  // namespace diffuse
