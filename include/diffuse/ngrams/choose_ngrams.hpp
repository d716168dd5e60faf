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
/// Begun is with pairs of words of two texts or more, tfidf, against which stand, of all texts,
/// naive_bayes, characters besides, and both. The best of these is tried with triples; where the
/// texts are all that there are to train on (`all_rows`), also with the other min_count, and with
/// more regularisation. Of more rows, which have more use for long n-grams, naive_bayes has
/// triples, and characters need a gain of 5 %. What there was before stays unless it is beaten
/// clearly. `base`: what is not chosen. Deterministic. `lists`: all labels of each text where it
/// may have several; else empty.
NgramConfig choose_ngrams(const NgramConfig& base, bool lowercase,
                          std::span<const std::string> texts, std::span<const std::int32_t> labels,
                          std::span<const std::vector<std::int32_t>> lists, std::int64_t classes,
                          bool all_rows, WorkerPool& pool);

}  // namespace diffuse
