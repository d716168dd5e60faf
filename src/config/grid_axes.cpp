#include "grid_axes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "convert.hpp"
#include "diffuse/base/text_util.hpp"

namespace diffuse {
namespace {

namespace fs = std::filesystem;

/// Keys of the data that leave alone which rows there are, and what they are labelled.
constexpr std::array kFreeData = {"text_columns", "weight_column", "soft_labels", "cache",
                                  "cache_dir"};
/// That choose the rows to train on, and the validation rows where these are among them.
constexpr std::array kTrainingRows = {"train", "max_rows"};

/// Why `field` cannot be varied; empty: it can.
std::string why_fixed(const Field& field, const Config& base) {
  const auto is_among = [&](const auto& names) {
    return std::ranges::find(names, field.name) != names.end();
  };
  if (field.key() == "train.seed")
    return "cannot be varied: --seeds N trains each combination with N seeds from train.seed on";
  if (field.section != "data" || is_among(kFreeData)) return "";
  if (!is_among(kTrainingRows))
    return "cannot be varied: all combinations are compared on the same validation rows";
  if (base.data.validation.empty() || base.data.test_fraction > 0)
    return "can only be varied where the validation and test rows have files of their own: all "
           "combinations are compared on the same rows; set data.validation (and data.test)";
  return "";
}

/// A field that may be varied, or nothing and a fault.
const Field* free_field(const std::string& key, const std::string& source, const Config& base,
                        Faults& faults) {
  const Field* field = find_field(key);
  if (field == nullptr) {
    const std::size_t dot = key.find('.');
    faults.add(source, printable(key),
               "unknown key" + (dot == std::string::npos
                                    ? key_suggestion("", key)
                                    : key_suggestion(key.substr(0, dot), key.substr(dot + 1))));
    return nullptr;
  }
  const std::string reason = why_fixed(*field, base);
  if (reason.empty()) return field;
  faults.add(source, key, reason);
  return nullptr;
}

void add_values(GridAxis& axis, const Json& list, const std::string& source,
                const ValueSource& from, Faults& faults) {
  for (const Json& json : list) {
    std::string problem;
    std::optional<Value> value = resolve_value(*axis.field, json, from, problem);
    if (value && std::ranges::find(axis.values, *value) != axis.values.end())
      problem = shown(json) + " stands twice; keep one of the two";
    if (!problem.empty())
      faults.add(source, axis.field->key(), problem);
    else
      axis.values.push_back(*std::move(value));
  }
}

void add_axis(GridAxes& axes, const std::string& key, const Json& list, const std::string& source,
              const ValueSource& from, const Config& base, Faults& faults) {
  const Field* field = free_field(key, source, base, faults);
  if (field == nullptr) return;
  if (!list.is_array()) {
    faults.add(source, key,
               fmt::format("{} is {}; expected a list of values, [{}, ...]", shown(list),
                           kind_of(list), shown(list)));
  } else if (list.empty()) {
    faults.add(source, key, "the list is empty; expected at least one value");
  } else {
    axes.push_back({field, {}});
    add_values(axes.back(), list, source, from, faults);
  }
}

GridAxes read_object(const Json& object, const std::string& source, const ValueSource& from,
                     const Config& base, Faults& faults) {
  GridAxes axes;
  if (!object.is_object()) {
    faults.add(source, "",
               fmt::format("{} is {}; expected an object with a list of values for each key, "
                           "{{\"model.dim\": [64, 128]}}, or a list of such objects",
                           shown(object), kind_of(object)));
    return axes;
  }
  for (const auto& [key, value] : object.items()) {
    if (find_section(key) == nullptr || !value.is_object()) {
      add_axis(axes, key, value, source, from, base, faults);
      continue;
    }
    for (const auto& [name, list] : value.items())
      add_axis(axes, fmt::format("{}.{}", key, name), list, source, from, base, faults);
  }
  return axes;
}

/// The list that stands behind "key=".
std::optional<Json> vary_values(const Field& field, const std::string& text, Faults& faults) {
  if (text.starts_with('[')) {
    const std::size_t before = faults.lines().size();
    Json list = parse_json_text(text, "--vary " + field.key(), faults);
    if (faults.lines().size() > before) return std::nullopt;
    return list;
  }
  Json list = Json::array();
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    list.push_back(json_from_text(field, text.substr(begin, end - begin)));
    begin = end + 1;
  }
  return list;
}

}  // namespace

std::vector<GridAxes> read_axes(const Json& json, const std::string& source,
                                const ValueSource& from, const Config& base, Faults& faults) {
  std::vector<GridAxes> products;
  if (json.is_null() && !faults.empty()) return products;
  if (!json.is_array()) return {read_object(json, source, from, base, faults)};
  if (json.empty()) faults.add(source, "", "the list is empty; expected at least one object");
  for (const Json& object : json)
    products.push_back(read_object(object, source, from, base, faults));
  return products;
}

void multiply_axes(std::vector<GridAxes>& products, const std::vector<std::string>& vary,
                   const Config& base, Faults& faults) {
  for (const std::string& item : vary) {
    const std::size_t split = item.find('=');
    if (split == std::string::npos || split == 0) {
      faults.add("--vary " + printable(item), "",
                 "expected key=value,value, such as --vary model.dim=64,128");
      continue;
    }
    const std::string key = item.substr(0, split);
    const Field* field = free_field(key, "--vary", base, faults);
    if (field == nullptr) continue;
    const std::optional<Json> list = vary_values(*field, item.substr(split + 1), faults);
    if (!list) continue;
    GridAxes own;
    add_axis(own, key, *list, "--vary", {fs::current_path()}, base, faults);
    if (own.empty()) continue;
    for (GridAxes& axes : products) {
      if (std::ranges::find(axes, field, &GridAxis::field) != axes.end()) {
        faults.add("--vary", key, "the key is varied twice; give all its values in one place");
        break;
      }
      axes.push_back(own.front());
    }
  }
}

}  // namespace diffuse
