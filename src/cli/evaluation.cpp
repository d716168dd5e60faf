#include "evaluation.hpp"

#include <fmt/core.h>

#include "data_options.hpp"
#include "diffuse/base/progress.hpp"
#include "diffuse/base/signals.hpp"
#include "diffuse/data/loading.hpp"
#include "ensemble.hpp"
#include "run_ngrams.hpp"

namespace diffuse::cli {

Evaluation evaluate_with_progress(Classifier& classifier, const DatasetView& view,
                                  EvaluationOptions options, const std::string& what) {
  ProgressLine progress;
  options.on_progress = [&](std::int64_t done, std::int64_t total) {
    throw_if_stopped();
    progress.update(fmt::format("{}  {:.0f} %  {} of {} rows", what,
                                100.0 * static_cast<double>(done) / static_cast<double>(total),
                                format_count(done), format_count(total)));
  };
  Evaluation evaluation = evaluate(classifier, view, options);
  progress.clear();
  return evaluation;
}

Evaluation evaluate_file(OpenedModel& opened, const InputFiles& file, const std::vector<bool>* rows,
                         std::int64_t batch_size) {
  const LoadedModel& model = opened.model;
  const auto data = load_labelled_file(file, other_data_config(opened, {}), model.config.tokenizer,
                                       *model.tokenizer, model.labels, opened.threads,
                                       training_layout(opened), ngram_vocabulary(model), rows);
  const DatasetView view = view_all(*data);
  Evaluation evaluation = evaluate_with_progress(*model.classifier, view,
                                                 options_of(opened, view, batch_size), "testing");
  evaluation.data =
      summarize("data.test", view, model.tokenizer->unknown_id(), model.config.tokenizer);
  return evaluation;
}

}  // namespace diffuse::cli
