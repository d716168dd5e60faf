#pragma once

#include <ATen/core/Generator.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "diffuse/base/worker_pool.hpp"
#include "diffuse/explain/explainer.hpp"
#include "diffuse/text/ngrams.hpp"
#include "diffuse/text/tokenizer.hpp"
#include "model_options.hpp"
#include "predict_output.hpp"
#include "records_ahead.hpp"

namespace diffuse::cli {

/// What stands in the place of an answer where a logit is not finite.
inline constexpr const char* kNoFiniteLogits =
    "the model's logits are not finite numbers: its weights are damaged, training diverged, or the "
    "precision overflows (--precision fp32 does not)";

/// Answers records on stdout, a line each, in their order.
class Predictor {
 public:
  Predictor(OpenedModel& opened, OutputForm form);

  /// Has `other`, of a model of the same classes, answer with this one: the mean of their
  /// probabilities.
  void join(std::unique_ptr<Predictor> other) { others_.push_back(std::move(other)); }

  /// Writes a line for each record of `block`.
  void answer(const RecordBlock& block);
  /// Usable records so far that got an error record, for kNoFiniteLogits.
  std::int64_t unanswered() const { return unanswered_; }
  /// Says how many texts were cut and how many of their words are unknown: a warning where these
  /// are many, else for information.
  void report() const;

 private:
  void read_texts();
  /// Whether the model has an n-gram of text i.
  bool knows_ngrams(std::size_t i) const {
    return opened_.model.ngrams.has_value() && ngrams_.offsets[i] < ngrams_.offsets[i + 1];
  }
  /// Whether it is answered with the training rows' shares, for nothing of it is known.
  bool is_answered_by_shares(std::size_t i) const {
    return !class_logits_.empty() && unknown_shares_[i] >= 1 && !knows_ngrams(i);
  }
  void fill_empty_texts();
  void compute(const RecordBlock& block);
  void average_with_others(const RecordBlock& block);
  void run_model(const RecordBlock& block);
  void add_ngrams();
  void find_unanswered();
  void write_lines(const RecordBlock& block);
  void add_lines(const RecordBlock& block, const std::vector<std::string_view>& texts,
                 std::size_t begin, std::size_t end, std::string& out);
  Explanation explain(std::string_view text, std::size_t usable, std::int32_t label);

  OpenedModel& opened_;
  WorkerPool pool_;
  OutputLines lines_;
  at::Generator generator_;
  std::optional<Explainer> explainer_;  // where explanations are asked for
  std::vector<float> class_logits_;     // of the training rows' shares; empty: not known
  std::vector<std::unique_ptr<Predictor>> others_;
  // Of the block, by usable record.
  EncodedTexts encoded_;
  NgramTexts ngrams_;  // where the model has them
  std::vector<double> unknown_shares_;
  std::vector<float> logits_;  // [B, C] row-major
  std::vector<float> probabilities_;
  std::vector<bool> not_finite_;  // one of the logits, of this model or of those that joined it
  // For the report.
  std::int64_t unanswered_ = 0;
  std::int64_t texts_ = 0;
  std::int64_t cut_texts_ = 0;
  std::int64_t pooled_texts_ = 0;  // that were read in pieces
  std::int64_t pieces_ = 0;
  std::int64_t unknown_texts_ = 0;  // of unknown words alone
  std::int64_t tokens_ = 0;
  std::int64_t unknown_tokens_ = 0;
  std::atomic<std::int64_t> unexplained_ = 0;  // texts whose parts do not add up to the logit
};

}  // namespace diffuse::cli
