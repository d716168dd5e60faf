#include "bench_texts.hpp"

#include <fmt/core.h>

#include <filesystem>

#include "diffuse/base/error.hpp"
#include "diffuse/base/system.hpp"
#include "diffuse/data/sampler.hpp"
#include "diffuse/eval/evaluator.hpp"
#include "diffuse/model/checkpoint.hpp"
#include "evaluation.hpp"
#include "run_ngrams.hpp"

namespace diffuse::cli {
namespace {

// Enough for the mean length to be that of the file.
constexpr std::size_t kBatches = 16;

/// Of the rows of `file`, read by `reading`.
std::vector<std::int32_t> predictions(const OpenedContender& opened, const DataConfig& reading,
                                      const std::string& file) {
  LoadedModel model = load_model(opened.spec.checkpoint);
  const auto data =
      load_labelled_file(file, reading, model.config.tokenizer, *model.tokenizer, model.labels,
                         /*threads=*/0, /*layout=*/nullptr, ngram_vocabulary(model));
  EvaluationOptions options;
  options.class_count = model.labels.size();
  options.noise_seed = model.config.train.seed;
  options.branches = branch_options(model, view_all(*data), available_cores());
  const Evaluation evaluation = evaluate_with_progress(*model.classifier, view_all(*data), options,
                                                       "evaluating " + opened.spec.name);
  return predicted_classes(evaluation.probabilities, options.class_count);
}

}  // namespace

BenchTexts::BenchTexts(const std::string& file, const std::vector<OpenedContender>& models)
    : file_(file), models_(models) {
  if (file.empty()) return;
  for (const OpenedContender& model : models) {
    data_.push_back(encode(model, file));
    if (data_.front()->size() != data_.back()->size())
      throw UsageError(fmt::format("{}: {} reads {} rows of it and {} {}; expected the same.", file,
                                   models.front().spec.name, data_.front()->size(), model.spec.name,
                                   data_.back()->size()));
  }
}

std::unique_ptr<EncodedDataset> BenchTexts::encode(const OpenedContender& opened,
                                                   const std::string& file) const {
  if (!opened.tokenizer)
    throw UsageError(fmt::format(
        "--data {}: {} has no vocabulary, because its training file is not there; give a "
        "--checkpoint, or the data that its config names.",
        file, opened.spec.name));
  const Config& config = opened.spec.config;
  return load_labelled_file(file, models_.front().spec.config.data, config.tokenizer,
                            *opened.tokenizer, opened.labels, /*threads=*/0);
}

std::vector<Workload> BenchTexts::workloads(std::int64_t batch_size) const {
  if (data_.empty()) throw UsageError("There are no texts to measure with; give --data FILE.");
  auto batches = epoch_batches(view_all(*data_.front()),
                               {.batch_size = batch_size,
                                .sort_window = models_.front().spec.config.train.sort_window,
                                .seed = 1},
                               0);
  if (batches.size() > kBatches) batches.resize(kBatches);
  std::vector<Workload> work;
  for (const auto& data : data_) work.push_back(text_workload(*data, batches));
  return work;
}

std::int64_t BenchTexts::row_count() const {
  return data_.empty() ? 0 : static_cast<std::int64_t>(data_.front()->size());
}

void BenchTexts::compare_accuracy(Comparison& comparison) const {
  const OpenedContender& ours = models_.front();
  const DataConfig& reading = ours.spec.config.data;
  if (ours.spec.checkpoint.empty() || !reading.label_separator.empty())  // a text has no one answer
    return;
  const std::string file = file_.empty() ? reading.test : file_;
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(file, ignored)) return;
  std::vector<std::int32_t> gold;
  std::vector<std::int32_t> predicted;
  for (std::size_t i = 1; i < models_.size(); ++i) {
    const OpenedContender& other = models_[i];
    if (other.spec.checkpoint.empty() || ours.labels.names() != other.labels.names()) continue;
    if (gold.empty()) {
      const auto data = encode(ours, file);
      for (std::size_t row = 0; row < data->size(); ++row) gold.push_back(data->label(row));
      predicted = predictions(ours, reading, file);
    }
    comparison.models[i].accuracy =
        compare_predictions(predicted, predictions(other, reading, file), gold);
    comparison.accuracy_source = file;
  }
}

}  // namespace diffuse::cli
