#include "data_options.hpp"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>

#include "diffuse/base/error.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/config/load.hpp"
#include "diffuse/data/loading.hpp"
#include "overrides.hpp"

namespace diffuse::cli {
namespace {

using Take = void (*)(DataConfig& to, const DataConfig& from);

/// Every key that may be set, and how its value is taken over.
const std::map<std::string, Take>& data_keys() {
  static const std::map<std::string, Take> keys = {
      {"data.format", [](DataConfig& to, const DataConfig& from) { to.format = from.format; }},
      {"data.separator",
       [](DataConfig& to, const DataConfig& from) { to.separator = from.separator; }},
      {"data.quote", [](DataConfig& to, const DataConfig& from) { to.quote = from.quote; }},
      {"data.header", [](DataConfig& to, const DataConfig& from) { to.header = from.header; }},
      {"data.label_column",
       [](DataConfig& to, const DataConfig& from) { to.label_column = from.label_column; }},
      {"data.label_separator",
       [](DataConfig& to, const DataConfig& from) { to.label_separator = from.label_separator; }},
      {"data.text_columns",
       [](DataConfig& to, const DataConfig& from) { to.text_columns = from.text_columns; }},
      {"data.on_error",
       [](DataConfig& to, const DataConfig& from) { to.on_error = from.on_error; }},
  };
  return keys;
}

}  // namespace

void add_data_options(CLI::App& verb, DataOptions& options) {
  verb.add_option(
          "--set", options.set,
          "How this file is read where it differs from the training data: data.format, "
          "separator, quote, header, label_column, label_separator, text_columns or on_error")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
}

bool DataOptions::sets(const std::string& key) const {
  return std::any_of(set.begin(), set.end(),
                     [&](const std::string& given) { return given.starts_with(key + "="); });
}

const RecordLayout* training_layout(const OpenedModel& opened) {
  return opened.model.data ? &opened.model.data->layout : nullptr;
}

DataConfig other_data_config(const OpenedModel& opened, const DataOptions& options) {
  const DataConfig& stored = opened.model.config.data;
  DataConfig data = opened.model.data ? without_columns(stored) : stored;
  if (options.set.empty()) return data;
  std::vector<std::string> faults;
  const Overrides overrides = parse_overrides(options.set, faults);
  for (const auto& [key, value] : overrides) {
    if (data_keys().contains(key)) continue;
    std::vector<std::string> names;
    for (const auto& [name, take] : data_keys()) names.push_back(name);
    faults.push_back(fmt::format(
        "--set {}: a trained model's parameters are fixed; what may be set is how a file is read: "
        "{}",
        printable(key), join(names, ", ")));
  }
  if (!faults.empty()) throw UsageError(join(faults, "\n"));
  try {
    const DataConfig given = load_stored_config(opened.folder / "config.json", overrides).data;
    for (const auto& [key, value] : overrides) data_keys().at(key)(data, given);
  } catch (const ConfigError& error) {
    throw ConfigError(name_flags(error.what(), {}));
  }
  return data;
}

}  // namespace diffuse::cli
