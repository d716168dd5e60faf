#include "run_report.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "diffuse/base/error.hpp"
#include "diffuse/base/files.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/config/load.hpp"
#include "diffuse/report/training_report.hpp"
#include "diffuse/text/token_reader.hpp"

namespace diffuse::cli {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kShownErrors = 20;
constexpr std::size_t kShownTokens = 60;

std::vector<std::pair<std::string, std::string>> parameters(const Config& config) {
  std::vector<std::pair<std::string, std::string>> pairs;
  const auto json = nlohmann::ordered_json::parse(config_json(config));
  for (const auto& [section, values] : json.items()) {
    for (const auto& [key, value] : values.items()) {
      pairs.emplace_back(section + "." + key,
                         value.is_string() ? value.get<std::string>() : value.dump());
    }
  }
  return pairs;
}

EvaluatedSet evaluated_set(const Config& config, const TrainingData& data,
                           const Evaluation& evaluation, const DatasetView& view,
                           const std::string& what) {
  EvaluatedSet set{.name = what, .metrics = evaluation.metrics, .labels = data.labels.names()};
  if (evaluation.several) return set;  // an answer is not one class in another's place
  const TokenReader reader(*data.tokenizer, config.tokenizer.type);
  std::vector<std::int32_t> held;
  for (const ConfidentError& error : most_confident_errors(
           evaluation.probabilities, evaluation.gold, data.labels.size(), kShownErrors)) {
    const auto tokens = view.data->tokens(view.rows[error.index], held);
    set.errors.push_back(
        {.row = evaluation.rows[error.index],
         .gold = error.gold,
         .predicted = error.predicted,
         .probability = error.probability,
         .text = reader.text(tokens.first(std::min(tokens.size(), kShownTokens)))});
  }
  return set;
}

}  // namespace

void write_run_report(const fs::path& run_dir, const Config& config, const TrainingData& data,
                      const Evaluation* evaluation, const DatasetView& view,
                      const std::string& what) {
  try {
    TrainingReport report{.name = fs::absolute(run_dir).lexically_normal().filename().string(),
                          .history = read_run_history(run_dir / "metrics.jsonl"),
                          .configuration = parameters(config)};
    report.parts = {data.summary.train, data.summary.validation, data.summary.test};
    report.notes = data_notes(data.summary, data.labels);
    report.choosing_rows = static_cast<std::int64_t>(data.validation.size());
    if (evaluation != nullptr)
      report.evaluated = evaluated_set(config, data, *evaluation, view, what);
    write_file_atomically(run_dir / "report.html", training_report_html(report));
  } catch (const Error& error) {
    log::warning("report.html was not written: {}", error.what());
  }
}

}  // namespace diffuse::cli
