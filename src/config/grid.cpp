#include "diffuse/config/grid.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "conflicts.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/base/files.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/base/progress.hpp"
#include "diffuse/base/text_util.hpp"
#include "faults.hpp"
#include "field.hpp"
#include "grid_axes.hpp"
#include "json_text.hpp"
#include "resolve.hpp"
#include "training_files.hpp"

namespace diffuse {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostPoints = 2'000;

/// The different keys of all products, by their first.
std::vector<const Field*> fields_of(const std::vector<GridAxes>& products) {
  std::vector<const Field*> fields;
  for (const GridAxes& axes : products)
    for (const GridAxis& axis : axes)
      if (std::ranges::find(fields, axis.field) == fields.end()) fields.push_back(axis.field);
  return fields;
}

std::size_t count_points(const std::vector<GridAxes>& products) {
  std::size_t sum = 0;
  for (const GridAxes& axes : products) {
    std::size_t count = 1;
    for (const GridAxis& axis : axes) count = std::min(count * axis.values.size(), kMostPoints + 1);
    sum = std::min(sum + count, kMostPoints + 1);
  }
  return sum;
}

/// The values of `config` for `fields`.
GridPoint point_of(Config config, const std::vector<const Field*>& fields) {
  GridPoint point{.values = {}, .config = std::move(config)};
  for (const Field* field : fields)
    point.values.emplace_back(field->key(), stored_json(field->get(point.config)).dump());
  return point;
}

/// Calls `take` for each combination of `axes`, the last one changing fastest.
template <class Take>
void visit_combinations(const GridAxes& axes, const Config& base, const Take& take) {
  std::vector<std::size_t> at(axes.size());
  while (true) {
    Config config = base;
    for (std::size_t i = 0; i < axes.size(); ++i) axes[i].field->set(config, axes[i].values[at[i]]);
    take(std::move(config));
    std::size_t axis = axes.size();
    while (axis > 0 && ++at[axis - 1] == axes[axis - 1].values.size()) at[--axis] = 0;
    if (axis == 0) return;
  }
}

/// Faults of combinations, each once, with the first one that has it.
class CombinationFaults {
 public:
  void add(const std::string& line, const GridPoint& point) {
    auto& [first, count] = found_[line];
    if (count++ == 0) {
      first = grid_point_text(point);
      order_.push_back(line);
    }
  }
  void add_to(Faults& faults, const std::string& source) const {
    for (const std::string& line : order_) {
      const auto& [first, count] = found_.at(line);
      faults.add(source, "",
                 fmt::format("{} (with {}{})", line, first,
                             count == 1 ? "" : fmt::format("; and {} more", count - 1)));
    }
  }
  const std::vector<std::string>& lines() const { return order_; }

 private:
  std::map<std::string, std::pair<std::string, std::size_t>> found_;
  std::vector<std::string> order_;
};

/// What is wrong with a combination whose values are fine alone.
void check_point(const GridPoint& point, CombinationFaults& wrong, CombinationFaults& odd) {
  for (const Conflict& conflict : find_conflicts(point.config))
    wrong.add(conflict.keys.front() + ": " + conflict.message, point);
  Faults files;
  find_file_faults(point.config, files);
  for (const std::string& line : files.lines()) wrong.add(line, point);
  for (const Conflict& conflict : find_oddities(point.config))
    odd.add(conflict.keys.front() + ": " + conflict.message, point);
}

Grid make_grid(const std::vector<GridAxes>& products, const std::string& source, const Config& base,
               Faults& faults) {
  faults.throw_if_any();
  if (count_points(products) > kMostPoints)
    faults.add(source, "",
               fmt::format("the values make more than {} combinations; expected fewer values",
                           format_count(kMostPoints)));
  faults.throw_if_any();
  const std::vector<const Field*> fields = fields_of(products);
  Grid grid;
  for (const Field* field : fields) grid.keys.push_back(field->key());
  std::set<std::vector<std::pair<std::string, std::string>>> seen;
  CombinationFaults wrong;
  CombinationFaults odd;
  for (const GridAxes& axes : products) {
    visit_combinations(axes, base, [&](Config config) {
      GridPoint point = point_of(std::move(config), fields);
      if (!seen.insert(point.values).second) return;  // objects of a list may overlap
      check_point(point, wrong, odd);
      grid.points.push_back(std::move(point));
    });
  }
  wrong.add_to(faults, source);
  faults.throw_if_any();
  for (const std::string& line : odd.lines()) log::warning("{}: {}", source, line);
  return grid;
}

}  // namespace

Grid read_grid(const fs::path& file, const std::vector<std::string>& vary, const Config& base) {
  Faults faults;
  std::vector<GridAxes> products = {{}};
  std::string source = "--vary";
  if (!file.empty()) {
    source = file.string();
    std::string text;
    try {
      text = read_file(file);
    } catch (const SystemError& error) {
      throw ConfigError(error.what());
    }
    const ValueSource from{fs::absolute(file).parent_path(), /*variables=*/true};
    products = read_axes(parse_json_text(text, source, faults), source, from, base, faults);
  }
  multiply_axes(products, vary, base, faults);
  return make_grid(products, source, base, faults);
}

std::string grid_json(const Grid& grid) {
  Json list = Json::array();
  for (const GridPoint& point : grid.points) {
    Json& object = list.emplace_back(Json::object());
    for (const auto& [key, value] : point.values) object[key] = Json::array({Json::parse(value)});
  }
  return list.dump();
}

Grid parse_grid(std::string_view json, const std::string& source, const Config& base) {
  Faults faults;
  const std::vector<GridAxes> products =
      read_axes(parse_json_text(json, source, faults), source, {}, base, faults);
  return make_grid(products, source, base, faults);
}

std::string grid_value_text(std::string_view value) {
  const Json json = Json::parse(value, nullptr, /*allow_exceptions=*/false);
  return printable(json.is_string() ? json.get<std::string>() : std::string(value));
}

std::string grid_point_text(const GridPoint& point) {
  if (point.values.empty()) return "the config as it is";
  std::vector<std::string> parts;
  for (const auto& [key, value] : point.values)
    parts.push_back(key + " = " + grid_value_text(value));
  return join(parts, ", ");
}

}  // namespace diffuse
