#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "diffuse/base/worker_pool.hpp"
#include "diffuse/config/config.hpp"
#include "diffuse/data/dataset.hpp"
#include "diffuse/ngrams/linear_svm.hpp"
#include "diffuse/text/ngrams.hpp"

namespace diffuse {

/// What one occurrence of each n-gram counts, [V], from the training rows `view`, of `classes`
/// classes; 0 for one that none of them has. With n texts, of which d have the n-gram:
///  - tfidf: 1 + ln((1 + n) / (1 + d));
///  - naive_bayes: the root of the mean over classes c of r_c², where r_c = ln of the n-gram's
///    share among the n-grams of class c over that among those of all others, each n-gram counted
///    once a text and once more (Wang and Manning, ACL 2012, whose r has the sign of the class; a
///    weight has one of its own);
///  - binary: 1.
/// Throws Stopped between two classes of naive_bayes where a stop signal was caught.
std::vector<float> ngram_scale(const DatasetView& view, std::int64_t features, std::int64_t classes,
                               NgramWeighting weighting);

/// Turns counts into values, each text's of unit length: scale · (1 + ln count), but scale alone
/// where the weighting is not tfidf.
void weigh_ngrams(std::span<NgramValue> text, std::span<const float> scale,
                  NgramWeighting weighting);

/// The linear branch: n-grams to logits. Immutable, so one object serves all threads.
class NgramModel {
 public:
  NgramModel(NgramWeighting weighting, std::vector<float> scale, LinearWeights weights);

  std::int64_t classes() const { return weights_.classes; }
  const std::vector<float>& scale() const { return scale_; }
  const LinearWeights& weights() const { return weights_; }

  /// Logits [C] of a text, of whose n-grams `text` has the counts.
  void logits(std::span<const NgramValue> text, float* to) const;
  /// What each n-gram of a text, of which `text` has the counts, adds to the logit of `label`: [n]
  /// in its order, the bias left aside.
  std::vector<double> contributions(std::span<const NgramValue> text, std::int32_t label) const;
  /// Logits [n, C] of the rows of `view`, on the threads of `pool`.
  std::vector<float> logits(const DatasetView& view, WorkerPool& pool) const;

 private:
  NgramWeighting weighting_;
  std::vector<float> scale_;
  LinearWeights weights_;
};

/// A model and what it reads texts by.
struct NgramBranch {
  NgramVocabulary vocabulary;
  NgramModel model;
};

/// Writes `ngrams.safetensors`: `hash` int64 [n-grams with a weight of their own], `scale` float32
/// [V], `weight` float32 [V, C], `bias` float32 [C].
void save_ngrams(const std::filesystem::path& path, const NgramVocabulary& vocabulary,
                 const NgramModel& model);
/// Reads it. Throws CheckpointError for a file that is none, or not of `classes` classes.
NgramBranch load_ngrams(const std::filesystem::path& path, const NgramConfig& config,
                        bool lowercase, std::int64_t classes);

}  // namespace diffuse
