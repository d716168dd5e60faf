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

BenchTexts::BenchTexts(const std::string& file, const OpenedContender& ours,
                       const OpenedContender& other)
    : file_(file), ours_(ours), other_(other) {
  if (file.empty()) return;
  ours_data_ = encode(ours, file);
  other_data_ = encode(other, file);
  if (ours_data_->size() != other_data_->size())
    throw UsageError(fmt::format("{}: the two models read {} and {} rows of it; expected the same.",
                                 file, ours_data_->size(), other_data_->size()));
}

std::unique_ptr<EncodedDataset> BenchTexts::encode(const OpenedContender& opened,
                                                   const std::string& file) const {
  if (!opened.tokenizer)
    throw UsageError(fmt::format(
        "--data {}: {} has no vocabulary, because its training file is not there; give a "
        "--checkpoint, or the data that its config names.",
        file, opened.spec.name));
  const Config& config = opened.spec.config;
  return load_labelled_file(file, ours_.spec.config.data, config.tokenizer, *opened.tokenizer,
                            opened.labels, /*threads=*/0);
}

std::pair<Workload, Workload> BenchTexts::workloads(std::int64_t batch_size) const {
  if (!ours_data_) throw UsageError("There are no texts to measure with; give --data FILE.");
  auto batches = epoch_batches(
      view_all(*ours_data_),
      {.batch_size = batch_size, .sort_window = ours_.spec.config.train.sort_window, .seed = 1}, 0);
  if (batches.size() > kBatches) batches.resize(kBatches);
  return {text_workload(*ours_data_, batches), text_workload(*other_data_, batches)};
}

std::int64_t BenchTexts::row_count() const {
  return ours_data_ ? static_cast<std::int64_t>(ours_data_->size()) : 0;
}

void BenchTexts::compare_accuracy(Comparison& comparison) const {
  if (ours_.spec.checkpoint.empty() || other_.spec.checkpoint.empty() ||
      ours_.labels.names() != other_.labels.names() ||
      !ours_.spec.config.data.label_separator.empty())  // a text has no one answer
    return;
  const std::string file = file_.empty() ? ours_.spec.config.data.test : file_;
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(file, ignored)) return;
  const auto ours_data = encode(ours_, file);
  std::vector<std::int32_t> gold;
  for (std::size_t i = 0; i < ours_data->size(); ++i) gold.push_back(ours_data->label(i));
  comparison.accuracy =
      compare_predictions(predictions(ours_, ours_.spec.config.data, file),
                          predictions(other_, ours_.spec.config.data, file), gold);
  comparison.accuracy_source = file;
}

}  // namespace diffuse::cli
