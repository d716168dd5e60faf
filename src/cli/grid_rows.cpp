#include "grid_rows.hpp"

#include <algorithm>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <utility>

#include "data/training_parts.hpp"
#include "diffuse/config/load.hpp"

namespace diffuse::cli {
namespace {

/// What decides which texts are equal to a model of `config`, and which rows it can use.
nlohmann::json reading_of(const Config& config) {
  const auto all = nlohmann::json::parse(config_json(config));
  nlohmann::json reading;
  reading["tokenizer"] = all.at("tokenizer");
  for (const char* key : {"text_columns", "weight_column", "soft_labels"})
    reading[key] = all.at("data").at(key);
  // The vocabulary, without which texts of other words are not told apart, has further words.
  if (config.model.type == ModelType::diffusion && !config.model.embedding_file.empty())
    for (const char* key : {"embedding_file", "embedding_words"})
      reading[key] = all.at("model").at(key);
  reading["init"] = config.train.init;
  if (!config.train.pretrain.empty()) reading["texts"] = all.at("pretrain").at("texts");
  return reading;
}

bool same_columns(const DataConfig& one, const DataConfig& other) {
  return one.text_columns == other.text_columns && one.weight_column == other.weight_column &&
         one.soft_labels == other.soft_labels;
}

/// Leaves those of `rows.among` that are among the `records` of the file.
void keep_among(const std::vector<bool>& records, GridRows& rows) {
  const std::vector<std::uint32_t>& places = rows.all.places;
  for (std::size_t i = 0; i < rows.among.size(); ++i) {
    const std::size_t place = places.empty() ? i : places[i];
    if (place >= records.size() || !records[place]) rows.among[i] = false;
  }
}

}  // namespace

std::optional<GridRows> shared_rows(const Config& base, const Grid& grid, const RowParts& parts) {
  if (!base.data.validation.empty() || base.data.validation_fraction == 0) return std::nullopt;
  const nlohmann::json reading = reading_of(base);
  if (std::ranges::all_of(
          grid.points, [&](const GridPoint& point) { return reading_of(point.config) == reading; }))
    return std::nullopt;
  GridRows rows{.all = read_labelled_rows(base.data), .among = {}};
  rows.among.assign(rows.all.size(), true);
  if (!parts.train.empty()) keep_among(parts.train, rows);
  std::vector<const DataConfig*> read = {&base.data};
  for (const GridPoint& point : grid.points) {
    const DataConfig& data = point.config.data;
    if (std::ranges::any_of(read, [&](const auto* other) { return same_columns(*other, data); }))
      continue;
    const LabelledRows usable = read_labelled_rows(data);
    keep_among(usable.records(std::vector<bool>(usable.size(), true)), rows);
    read.push_back(&data);
  }
  return rows;
}

std::vector<bool> choose_validation(const GridRows& rows, double fraction, std::int64_t seed) {
  std::vector<std::int32_t> labels;
  std::vector<std::uint64_t> texts;
  std::vector<std::size_t> row_of;
  for (std::size_t i = 0; i < rows.among.size(); ++i) {
    if (!rows.among[i]) continue;
    labels.push_back(rows.all.labels[i]);
    texts.push_back(rows.all.texts[i]);
    row_of.push_back(i);
  }
  const std::vector<bool> validates = validation_rows(labels, texts, fraction, seed);
  std::vector<bool> chosen(rows.all.size());
  for (std::size_t i = 0; i < row_of.size(); ++i) chosen[row_of[i]] = validates[i];
  return rows.all.records(chosen);
}

}  // namespace diffuse::cli
