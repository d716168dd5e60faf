#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "diffuse/config/config.hpp"
#include "diffuse/data/dataset.hpp"
#include "diffuse/model/classifier.hpp"

namespace diffuse {

/// What edits of tokens at a distance from each other change in a model's logits. An edit replaces
/// a token by another one of the texts. With the logits z of a text, of it with one edit or the
/// other, and with both, and |v| = the largest of v's elements without sign, after the mean of the
/// classes is taken away where one class is answered:
///
///   change   = (|z_a - z| + |z_b - z|) / 2       what one edit changes
///   together = |z_ab - z_a - z_b + z|            what both change that neither does alone
///
/// A bag of words with a linear head has together = 0 at every distance. So has any model at
/// distances beyond which no part of it reads two tokens together (farthest_pair), but for what a
/// maximum over the text and the head's hidden layer make of them: about the same at all distances.
struct ReachFigure {
  std::int64_t distance = 0;  ///< in tokens
  std::int64_t pairs = 0;     ///< of edits, that the means below are of
  double change = 0;          ///< mean
  double together = 0;        ///< mean
  double together_error = 0;  ///< its standard error; 0 for one pair

  /// together over change; 0 where no edit changed anything.
  double share() const { return change > 0 ? together / change : 0; }
};

struct ReachOptions {
  std::int64_t pairs = 200;               ///< of each distance
  std::uint64_t seed = 1;                 ///< of texts, places and tokens
  Precision precision = Precision::fp32;  ///< resolved
  bool several_labels = false;
};

/// Measures the distances 1, 2, 4, … up to the longest text's tokens. Throws
/// UserError for a view without a text of two tokens, or whose tokens are all the same, and Error
/// for a model that draws random numbers when it evaluates.
std::vector<ReachFigure> measure_reach(Classifier& classifier, const DatasetView& view,
                                       const ReachOptions& options);

/// The distance beyond which no function or norm of a diffusion model's steps reads states that
/// depend on two tokens of a text of `view`, but only its pooling and head do: by the steps, or by
/// the longest text or piece of one (tokenizer.long_texts = pool; [CLS] and [SEP] aside, which all
/// pieces share). Nothing for other models.
std::optional<std::int64_t> farthest_pair(const Config& config, const DatasetView& view);

/// What `diffuse eval --reach` prints.
std::string reach_report(const std::vector<ReachFigure>& figures,
                         std::optional<std::int64_t> farthest_pair);
/// The same figures as one JSON object, indented.
std::string reach_json(const std::vector<ReachFigure>& figures,
                       std::optional<std::int64_t> farthest_pair);

}  // namespace diffuse
