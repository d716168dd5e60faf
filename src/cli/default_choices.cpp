#include "default_choices.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <string>

#include "default_recipes.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/base/progress.hpp"
#include "diffuse/base/system.hpp"
#include "diffuse/base/worker_pool.hpp"
#include "diffuse/data/records.hpp"
#include "diffuse/data/row_parts.hpp"
#include "diffuse/data/survey.hpp"
#include "diffuse/ngrams/choose_ngrams.hpp"

namespace diffuse::cli {
namespace {

// What the n-grams are chosen on: enough rows to tell choices apart, read in about a second.
constexpr std::size_t kSampleRows = 12'000;
constexpr std::size_t kSampleBytes = 4'000'000;

/// The network's and its training's keys.
void choose_network(const DataSurvey& survey, Config& config, Choices& choices) {
  constexpr std::int64_t kShortText = 100;  // bytes; some 18 words
  constexpr std::int64_t kLongText = 800;   // some 150 words
  constexpr std::int64_t kVeryFewShortTexts = 200;
  constexpr std::int64_t kVeryFewTexts = 500;
  constexpr std::int64_t kVeryFewOfTwoClasses = 1000;
  constexpr std::int64_t kFewRows = 20'000;
  constexpr std::int64_t kManyRows = 30'000;
  const std::int64_t bytes_a_text = survey.text_bytes / std::max<std::int64_t>(survey.rows, 1);
  const bool two_classes = survey.class_names.size() == 2;
  // Of these the configuration's own defaults know as much (docs/defaults.md, "Few rows").
  if (survey.rows < (two_classes                 ? kVeryFewOfTwoClasses
                     : bytes_a_text < kShortText ? kVeryFewShortTexts
                                                 : kVeryFewTexts))
    return;
  if (bytes_a_text >= kLongText) {
    choices.set("tokenizer.max_tokens", config.tokenizer.max_tokens, std::int64_t{512});
    choices.set("train.batch_size", config.train.batch_size,
                survey.rows < kFewRows ? std::int64_t{32} : std::int64_t{64});
  }
  if (two_classes && survey.rows < kFewRows)
    choose_for_two_classes(config, choices);
  else if (bytes_a_text < kShortText && survey.rows < kFewRows)
    choose_for_short_texts(config, choices);
  else if (survey.rows < kFewRows)
    choose_for_few_texts(config, choices);
  else if (survey.rows >= kManyRows && bytes_a_text < kLongText)
    choose_for_many_texts(config, choices);
}

/// Thresholds of labels need rows to choose them, where one label a text could do without.
void choose_rows_for_thresholds(const DataSurvey& survey, Config& config, Choices& choices) {
  constexpr std::int64_t kFewestRows = 200;
  constexpr std::int64_t kEnoughRows = 2000;  // of which some are split off anyway
  if (config.data.label_separator.empty() || choices.is_given("data.validation")) return;
  if (survey.rows < kFewestRows || survey.rows >= kEnoughRows) return;
  choices.set("data.validation_fraction", config.data.validation_fraction, 0.1);
}

void choose_branch(const DataSurvey& survey, Config& config, Choices& choices) {
  // Whoever says which n-grams there are says all of it.
  for (const char* key : {"ngrams.max", "ngrams.char_min", "ngrams.char_max"})
    if (choices.is_given(key)) return;
  WorkerPool pool(config.train.threads > 0 ? config.train.threads : available_cores());
  const NgramConfig found =
      choose_ngrams(config.ngrams, config.tokenizer.lowercase, survey.sample_texts,
                    survey.sample_labels, survey.sample_label_lists, std::ssize(survey.class_names),
                    std::ssize(survey.sample_texts) == survey.rows, pool);
  NgramConfig& own = config.ngrams;
  choices.set("ngrams.max", own.max, found.max);
  choices.set("ngrams.weighting", own.weighting, found.weighting);
  choices.set("ngrams.min_count", own.min_count, found.min_count);
  choices.set("ngrams.cost", own.cost, found.cost);
  if (found.char_max == 0) return;
  choices.set("ngrams.char_min", own.char_min, found.char_min);
  choices.set("ngrams.char_max", own.char_max, found.char_max);
}

bool is_pixels(const DataConfig& data) {
  return data.format == FileFormat::pixels ||
         (data.format == FileFormat::automatic &&
          format_of_name(data.train.first()) == FileFormat::pixels);
}

}  // namespace

Config choose_defaults(const Config& config, const Overrides& given) {
  if (config.model.type != ModelType::diffusion) return config;
  Choices choices(given);
  Config chosen = config;
  // Outside of what is caught below: without these the file cannot be read at all.
  if (is_pixels(config.data)) {
    choose_for_pixels(chosen, choices);
    log::info("defaults for pixels: {}", choices.text());
    return parse_config(config_json(chosen), "defaults for pixels");
  }
  try {
    const double start_s = steady_now_s();
    std::optional<RowParts> parts;  // what is to be tested chooses nothing
    if (config.data.test_fraction > 0)
      parts = split_off_test(read_labelled_rows(config.data), config.data.test_fraction,
                             config.train.seed);
    const DataSurvey survey = survey_training_file(config.data.train, config.data, kSampleRows,
                                                   kSampleBytes, parts ? &parts->train : nullptr);
    const std::size_t classes = survey.class_names.size();
    if (classes < 2 || 2 * classes > survey.sample_texts.size()) return config;
    if (config.model.dim > 0) choose_network(survey, chosen, choices);
    choose_rows_for_thresholds(survey, chosen, choices);
    choose_branch(survey, chosen, choices);
    chosen =
        parse_config(config_json(chosen), "defaults");  // beside what is given, too, it must do
    log::info("defaults for {} rows of {} classes, {} of text each, in {}: {}",
              format_count(survey.rows), format_count(std::ssize(survey.class_names)),
              format_bytes(static_cast<double>(survey.text_bytes) /
                           static_cast<double>(std::max<std::int64_t>(survey.rows, 1))),
              format_duration(steady_now_s() - start_s),
              choices.text().empty() ? "those of the configuration" : choices.text());
  } catch (const Error& error) {  // whoever reads the file in earnest says what is wrong with it
    log::debug("no defaults chosen: {}", error.what());
    return config;
  }
  return chosen;
}

}  // namespace diffuse::cli
