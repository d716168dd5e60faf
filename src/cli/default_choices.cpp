#include "default_choices.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <type_traits>

#include "diffuse/base/error.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/base/progress.hpp"
#include "diffuse/base/system.hpp"
#include "diffuse/base/worker_pool.hpp"
#include "diffuse/data/survey.hpp"
#include "diffuse/ngrams/choose_ngrams.hpp"

namespace diffuse::cli {
namespace {

// What the n-grams are chosen on: enough rows to tell choices apart, read in about a second.
constexpr std::size_t kSampleRows = 6000;
constexpr std::size_t kSampleBytes = 3'000'000;

/// Sets keys that nobody has given, and remembers them for the log.
class Choices {
 public:
  explicit Choices(const Overrides& given) : given_(given) {}

  template <class Value>
  void set(const char* key, Value& member, const Value& value) {
    if (is_given(key)) return;
    member = value;
    if (!text_.empty()) text_ += ", ";
    if constexpr (std::is_enum_v<Value>)
      text_ += fmt::format("{} = {}", key, enum_name(value));
    else
      text_ += fmt::format("{} = {}", key, value);
  }
  /// Whether a key that begins with `name` is given.
  bool is_given(std::string_view name) const {
    return std::ranges::any_of(given_,
                               [&](const auto& entry) { return entry.first.starts_with(name); });
  }
  const std::string& text() const { return text_; }

 private:
  const Overrides& given_;
  std::string text_;
};

void choose_network(const DataSurvey& survey, Config& config, Choices& choices) {
  const std::int64_t bytes_a_text = survey.text_bytes / std::max<std::int64_t>(survey.rows, 1);
  constexpr std::int64_t kLongText = 800;  // bytes; some 150 words
  if (bytes_a_text < kLongText) return;
  // Long texts say the same thing often: half of them fits into 512 words, and half as many of them
  // are enough for a batch.
  choices.set("tokenizer.max_tokens", config.tokenizer.max_tokens, std::int64_t{512});
  choices.set("train.batch_size", config.train.batch_size, std::int64_t{64});
}

void choose_branch(const DataSurvey& survey, Config& config, Choices& choices) {
  if (choices.is_given("ngrams.")) return;  // whoever says one thing of them says all of it
  WorkerPool pool(config.train.threads > 0 ? config.train.threads : available_cores());
  const NgramConfig found =
      choose_ngrams(config.ngrams, config.tokenizer.lowercase, survey.sample_texts,
                    survey.sample_labels, std::ssize(survey.class_names), pool);
  NgramConfig& own = config.ngrams;
  choices.set("ngrams.max", own.max, found.max);
  choices.set("ngrams.weighting", own.weighting, found.weighting);
  choices.set("ngrams.min_count", own.min_count, found.min_count);
  if (found.char_max == 0) return;
  choices.set("ngrams.char_min", own.char_min, found.char_min);
  choices.set("ngrams.char_max", own.char_max, found.char_max);
}

}  // namespace

Config choose_defaults(const Config& config, const Overrides& given) {
  if (config.model.type != ModelType::diffusion) return config;
  Choices choices(given);
  Config chosen = config;
  try {
    const double start_s = steady_now_s();
    const DataSurvey survey =
        survey_training_file(config.data.train, config.data, kSampleRows, kSampleBytes);
    const std::size_t classes = survey.class_names.size();
    if (classes < 2 || 2 * classes > survey.sample_texts.size()) return config;
    choose_network(survey, chosen, choices);
    choose_branch(survey, chosen, choices);
    log::info("defaults for {} rows of {} classes, {} of text each, in {}: {}",
              format_count(survey.rows), format_count(std::ssize(survey.class_names)),
              format_bytes(static_cast<double>(survey.text_bytes) /
                           static_cast<double>(std::max<std::int64_t>(survey.rows, 1))),
              format_duration(steady_now_s() - start_s), choices.text());
  } catch (const Error& error) {  // whoever reads the file in earnest says what is wrong with it
    log::debug("no defaults chosen: {}", error.what());
    return config;
  }
  return chosen;
}

}  // namespace diffuse::cli
