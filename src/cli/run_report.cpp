#include "run_report.hpp"

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>
#include <vector>

#include "diffuse/base/error.hpp"
#include "diffuse/base/files.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/config/load.hpp"
#include "diffuse/data/records.hpp"
#include "diffuse/explain/explainer.hpp"
#include "diffuse/model/checkpoint.hpp"
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

/// The texts of the rows `numbers` of the file that `view` is of, as they were written.
std::vector<std::string> written_texts(const Config& config, const TrainingData& data,
                                       const DatasetView& view,
                                       const std::vector<std::uint64_t>& numbers) {
  ReadOptions reading;
  if (view.data == data.train_file.get())
    return read_texts(config.data.train, config.data, reading, numbers);
  reading.layout = data.facts.layout;
  const bool is_test = view.data == data.test_file.get();
  const InputFiles test =
      config.data.test.empty() ? config.data.train : InputFiles(config.data.test);
  return read_texts(is_test ? test : InputFiles(config.data.validation),
                    without_columns(config.data), reading, numbers);
}

/// Whether the model reads `text` as the row's tokens: the file is still the one that was read.
bool is_text_of(std::string_view text, std::span<const std::int32_t> tokens, const Config& config,
                const Tokenizer& tokenizer) {
  std::vector<std::int32_t> ids;
  tokenizer.encode(text, config.tokenizer.cut_at(), ids);
  if (ids.empty() && !text.empty()) ids.push_back(tokenizer.unknown_id());
  return std::equal(ids.begin(), ids.end(), tokens.begin(), tokens.end());
}

/// The marks of each error's words.
void explain_errors(const fs::path& checkpoint, std::vector<ReportedError>& errors) {
  const LoadedModel model = load_model(checkpoint);
  if (!can_be_explained(model.config)) return;
  // To see which words a mark belongs to, a few points do.
  const Explainer explainer(model, Explainer::kMostTokens / 20);
  for (ReportedError& error : errors) {
    for (const WordShare& word :
         share_among_words(explainer.explain(error.text, error.predicted), error.text))
      error.marks.push_back({word.place.begin, word.place.end, word.contribution});
  }
}

/// The errors with their texts as they were written and what spoke for the wrong answer; where the
/// file cannot be read any more, with what the model read of them.
std::vector<ReportedError> reported_errors(const Config& config, const TrainingData& data,
                                           const ReportedEvaluation& evaluated) {
  const Evaluation& evaluation = evaluated.evaluation;
  std::vector<ReportedError> errors;
  if (evaluation.several) return errors;  // an answer is not one class in another's place
  std::vector<std::vector<std::int32_t>> tokens;
  std::vector<std::uint64_t> numbers;
  for (const ConfidentError& error : most_confident_errors(
           evaluation.probabilities, evaluation.gold, data.labels.size(), kShownErrors)) {
    numbers.push_back(evaluation.rows[error.index]);
    evaluated.view.data->tokens(evaluated.view.rows[error.index], tokens.emplace_back());
    errors.push_back({.row = numbers.back(),
                      .gold = error.gold,
                      .predicted = error.predicted,
                      .probability = error.probability,
                      .text = {}});
  }
  try {
    const std::vector<std::string> texts = written_texts(config, data, evaluated.view, numbers);
    bool all_there = true;
    for (std::size_t i = 0; i < errors.size(); ++i) {
      errors[i].text = texts[i];
      all_there = all_there && is_text_of(texts[i], tokens[i], config, *data.tokenizer);
    }
    if (all_there) {
      explain_errors(evaluated.checkpoint, errors);
      return errors;
    }
  } catch (const UserError&) {
    // The file was changed or is gone: what the model read of it still tells something.
  }
  const TokenReader reader(*data.tokenizer, config.tokenizer.type);
  for (std::size_t i = 0; i < errors.size(); ++i) {
    errors[i].text =
        reader.text(std::span(tokens[i]).first(std::min(tokens[i].size(), kShownTokens)));
    errors[i].marks.clear();
  }
  return errors;
}

}  // namespace

void write_run_report(const fs::path& run_dir, const Config& config, const TrainingData& data,
                      const ReportedEvaluation* evaluated) {
  try {
    TrainingReport report{.name = fs::absolute(run_dir).lexically_normal().filename().string(),
                          .history = read_run_history(run_dir / "metrics.jsonl"),
                          .configuration = parameters(config)};
    report.parts = {data.summary.train, data.summary.validation, data.summary.test};
    report.notes = data_notes(data.summary, data.labels);
    report.choosing_rows = static_cast<std::int64_t>(data.validation.size());
    if (evaluated != nullptr) {
      const Evaluation& evaluation = evaluated->evaluation;
      report.evaluated = EvaluatedSet{.name = evaluated->what,
                                      .metrics = evaluation.metrics,
                                      .labels = data.labels.names(),
                                      .errors = reported_errors(config, data, *evaluated)};
      if (!evaluation.metrics.labels)
        report.evaluated->coverage =
            coverage_curve(evaluation.probabilities, evaluation.gold, data.labels.size());
    }
    write_file_atomically(run_dir / "report.html", training_report_html(report));
  } catch (const Error& error) {
    log::warning("report.html was not written: {}", error.what());
  }
}

}  // namespace diffuse::cli
