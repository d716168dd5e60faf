#pragma once

#include <filesystem>
#include <optional>

#include "diffuse/eval/evaluator.hpp"
#include "diffuse/train/trainer.hpp"
#include "prepared_run.hpp"

namespace diffuse::cli {

/// The linear branch of `run`, trained, or, of a run that goes on from the checkpoint
/// `resume_from`, read from there; nothing where its config has no n-grams. Takes the rows'
/// n-grams, which are not needed any more, out of memory.
std::optional<RunNgrams> make_run_ngrams(PreparedRun& run,
                                         const std::optional<std::filesystem::path>& resume_from);

/// The linear branch's part in an evaluation of `model` on `view`, whose data set holds the rows'
/// n-grams; nothing for a model without. `threads`: of the CPU.
std::optional<BranchOptions> branch_options(const LoadedModel& model, const DatasetView& view,
                                            int threads);

/// What `data` is to be read by, beside the tokenizer; null for a model without n-grams.
const NgramVocabulary* ngram_vocabulary(const LoadedModel& model);

}  // namespace diffuse::cli
