#include "fold_plan.hpp"

#include <fmt/core.h>

#include <nlohmann/json.hpp>
#include <string>
#include <system_error>
#include <utility>

#include "base/json_fields.hpp"
#include "base/json_reader.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/base/files.hpp"

namespace diffuse::cli {
namespace fs = std::filesystem;
namespace {

constexpr const char* kFoldsFile = "folds.json";

}  // namespace

void write_fold_settings(const fs::path& run_dir, const FoldSettings& settings) {
  const nlohmann::ordered_json json = {{"folds", settings.folds}, {"ensemble", settings.ensemble}};
  write_file_atomically(run_dir / kFoldsFile, json.dump(2) + "\n");
}

std::optional<FoldSettings> read_fold_settings(const fs::path& run_dir) {
  const fs::path file = run_dir / kFoldsFile;
  std::error_code ignored;
  if (!fs::is_regular_file(file, ignored)) return std::nullopt;
  const nlohmann::json json = read_json_object(read_file(file), file.string());
  const JsonFields fields(json, file.string());
  FoldSettings settings{.folds = fields.count("folds"), .ensemble = fields.flag("ensemble")};
  if (settings.folds < 2)
    throw DataError(
        fmt::format("{}: folds is {}; expected at least 2.", file.string(), settings.folds));
  return settings;
}

fs::path fold_directory(const fs::path& run_dir, std::int64_t fold) {
  return run_dir / "folds" / std::to_string(fold + 1);
}

FoldPlan::FoldPlan(const Config& config, std::int64_t folds)
    : folds_(folds), rows_(read_labelled_rows(config.data)) {
  std::vector<bool> among(rows_.size(), true);
  if (config.data.test_fraction > 0) {
    among = choose_test_rows(rows_, config.data.test_fraction, config.train.seed);
    test_rows_ = rows_.records(among);
    among.flip();
  }
  fold_of_ = assign_folds(rows_, among, folds, config.train.seed);
}

RowParts FoldPlan::parts(std::int64_t fold) const {
  std::vector<bool> train;
  std::vector<bool> test;
  for (const std::int64_t own : fold_of_) {
    train.push_back(own >= 0 && own != fold);
    test.push_back(own == fold);
  }
  return {.train = rows_.records(train), .test = rows_.records(test), .names = rows_.names};
}

std::vector<std::int32_t> FoldPlan::labels(std::int64_t fold) const {
  std::vector<std::int32_t> labels;
  for (std::size_t i = 0; i < fold_of_.size(); ++i)
    if (fold_of_[i] == fold) labels.push_back(rows_.labels[i]);
  return labels;
}

}  // namespace diffuse::cli
