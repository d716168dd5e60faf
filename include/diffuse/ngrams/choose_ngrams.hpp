#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "diffuse/base/worker_pool.hpp"
#include "diffuse/config/config.hpp"

namespace diffuse {

/// Which n-grams suit texts of their kind, found out on the texts themselves: of each choice, what
/// a linear classifier that has not seen a row says of it (mean cross-entropy, folds left out).
/// Tried are, one after the other, each with the best so far:
///  - words alone, and pairs of them;
///  - n-grams of one text, and only those of two or more;
///  - of two classes the weighting, tfidf and naive_bayes;
///  - triples, where pairs are taken;
///  - characters besides.
/// Where the texts are only some of those that there are to train on (not `all_rows`), few of them
/// would speak for n-grams that are too short: then it is pairs by tfidf, or triples by
/// naive_bayes, of two texts or more, and characters. `base`: what is not chosen. Deterministic.
/// `lists`: all labels of each text where it may have several; else empty.
NgramConfig choose_ngrams(const NgramConfig& base, bool lowercase,
                          std::span<const std::string> texts, std::span<const std::int32_t> labels,
                          std::span<const std::vector<std::int32_t>> lists, std::int64_t classes,
                          bool all_rows, WorkerPool& pool);

}  // namespace diffuse
