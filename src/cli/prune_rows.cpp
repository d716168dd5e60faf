#include "prune_rows.hpp"

#include <fmt/core.h>

#include <cstdint>
#include <filesystem>
#include <utility>
#include <vector>

#include "data_options.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/data/loading.hpp"
#include "run_ngrams.hpp"

namespace diffuse::cli {
namespace {

/// Where the files are that the model was trained with.
DataConfig trained_with(const PruneOptions& options, const OpenedModel& opened) {
  DataConfig data = opened.model.config.data;
  if (!options.validation.empty() && data.validation.empty())
    throw UsageError(
        "--validation: the model was trained without a validation file; the rows that chose are a "
        "part of its training file (--train), or there were none.");
  if (!options.train.empty()) data.train = options.train;
  if (!options.validation.empty()) data.validation = options.validation;
  return data;
}

std::unique_ptr<EncodedDataset> load_rows(const std::string& file, const OpenedModel& opened) {
  const LoadedModel& model = opened.model;
  return load_labelled_file(file, other_data_config(opened, {}), model.config.tokenizer,
                            *model.tokenizer, model.labels, opened.threads, training_layout(opened),
                            ngram_vocabulary(model));
}

/// The rows that the model was trained on, with the weights that they had.
TrainingRows training_rows(const DataConfig& data, const OpenedModel& opened) {
  const LoadedModel& model = opened.model;
  if (!model.data)
    throw UsageError(fmt::format(
        "'{}' does not tell which rows it was trained on (data.json), for an older version wrote "
        "it: its n-grams cannot be trained anew. --keep 1 --int8 takes them as they are.",
        opened.folder.string()));
  const auto texts = read_training_texts(opened.folder);
  const Config& config = model.config;
  TrainingRows rows = [&] {
    try {
      return read_training_rows({.tokenizer_config = config.tokenizer,
                                 .tokenizer = *model.tokenizer,
                                 .labels = model.labels,
                                 .ngrams = ngram_vocabulary(model),
                                 .facts = *model.data,
                                 .texts = texts ? std::span<const std::uint64_t>(*texts)
                                                : std::span<const std::uint64_t>()},
                                data, config.train.seed, opened.threads);
    } catch (const DataError& error) {
      throw DataError(fmt::format(
          "{}\nThe n-grams that stay are trained anew on the rows that the model was trained on: "
          "--train FILE says where they are. --keep 1 --int8 needs none.",
          error.what()));
    }
  }();
  if (config.train.class_weights.rule != ClassWeights::Rule::none)
    rows.file->weigh_classes(
        class_weights(config.train.class_weights, model.labels, model.data->class_rows));
  return rows;
}

/// The rows that chose in training, of which a model keeps the split but not the rows.
void read_validation(const DataConfig& data, const OpenedModel& opened, PruneRows& rows) {
  rows.validation = rows.training.validation;
  if (data.validation.empty()) return;
  rows.validation_file = load_rows(data.validation, opened);
  rows.validation = view_all(*rows.validation_file);
}

/// What accuracy is told of where the user names nothing and no row chooses.
void measure_on_test(const std::string& file, const OpenedModel& opened, PruneRows& rows) {
  std::string why =
      "no rows chose in the training, or they are not where they were, and there is no test file";
  if (!file.empty()) {
    try {
      rows.measured_file = load_rows(file, opened);
      rows.measured_name = std::filesystem::path(file).filename().string();
      return;
    } catch (const DataError& error) {
      why = error.what();
    }
  }
  log::warning("The accuracy before and after is not told: {}; --data FILE names rows.", why);
}

}  // namespace

void PruneRows::map_ngrams(std::span<const std::int32_t> to, WorkerPool& pool) {
  for (const auto* file : {&training.file, &validation_file, &measured_file})
    if (*file) (*file)->ngrams().map(to, pool);
}

PruneRows read_prune_rows(const PruneOptions& options, const OpenedModel& opened) {
  const DataConfig data = trained_with(options, opened);
  PruneRows rows;
  if (options.keep < 1) {
    rows.training = training_rows(data, opened);
    read_validation(data, opened, rows);
  } else if (options.data.empty() && (!data.validation.empty() || data.test.empty())) {
    // Nothing is trained anew, but there is nothing else to say what the accuracy is.
    try {
      if (data.validation.empty() && data.validation_fraction != 0)
        rows.training = training_rows(data, opened);
      rows.training.train.rows.clear();
      read_validation(data, opened, rows);
    } catch (const Error& error) {
      log::debug("the rows that chose in training are not there: {}", error.what());
    }
  }
  if (!options.data.empty()) {
    rows.measured_file = load_rows(options.data, opened);
    rows.measured_name = std::filesystem::path(options.data).filename().string();
  } else if (rows.validation.size() > 0) {
    rows.measured = rows.validation;
    rows.measured_name = "validation rows";
  } else {
    measure_on_test(data.test, opened, rows);
  }
  if (rows.measured_file) rows.measured = view_all(*rows.measured_file);
  return rows;
}

}  // namespace diffuse::cli
