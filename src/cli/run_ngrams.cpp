#include "run_ngrams.hpp"

#include <malloc.h>

#include <utility>

#include "diffuse/base/log.hpp"
#include "diffuse/base/progress.hpp"
#include "diffuse/base/worker_pool.hpp"
#include "diffuse/ngrams/train_ngrams.hpp"

namespace diffuse::cli {
namespace {

LoadedNgrams train_branch(PreparedRun& run, WorkerPool& pool) {
  const TrainingData& data = run.data;
  TrainedNgrams trained = train_ngrams(run.config.ngrams, data.train, data.validation,
                                       data.ngrams->size(), data.labels.size(), pool);
  log::info("n-grams: {} weights for each of {} classes, trained in {}",
            format_count(data.ngrams->size()), format_count(data.labels.size()),
            format_duration(trained.time_s));
  if (trained.unseen_accuracy)
    log::info(
        "  alone they are right on {:.2f} % of training rows that they had not seen (five folds)",
        100 * *trained.unseen_accuracy);
  const BranchFactors start = trained.factors;
  return {
      .vocabulary = *std::move(run.data.ngrams), .trained = std::move(trained), .factors = start};
}

}  // namespace

std::optional<RunNgrams> make_run_ngrams(PreparedRun& run,
                                         const std::optional<std::filesystem::path>& resume_from) {
  TrainingData& data = run.data;
  if (!data.ngrams) return std::nullopt;
  WorkerPool pool(run.threads);
  RunNgrams ngrams{.branch = resume_from
                                 ? load_ngram_branch(*resume_from, run.config, data.labels.size())
                                 : train_branch(run, pool),
                   .validation_logits = {},
                   .test_logits = {}};
  const NgramModel& model = ngrams.branch.trained.model;
  ngrams.validation_logits = model.logits(data.validation, pool);
  ngrams.test_logits = model.logits(data.test, pool);
  for (const auto& file : {&data.train_file, &data.validation_file, &data.test_file})
    if (*file) (*file)->ngrams() = {};
  data.ngrams.reset();
  ::malloc_trim(0);  // the network's training would have it in holes that are too small for it
  return ngrams;
}

std::optional<BranchOptions> branch_options(const LoadedModel& model, const DatasetView& view,
                                            int threads) {
  if (!model.ngrams) return std::nullopt;
  WorkerPool pool(threads);
  return BranchOptions{.ngram_logits = model.ngrams->trained.model.logits(view, pool),
                       .factors = model.ngrams->factors};
}

const NgramVocabulary* ngram_vocabulary(const LoadedModel& model) {
  return model.ngrams ? &model.ngrams->vocabulary : nullptr;
}

}  // namespace diffuse::cli
