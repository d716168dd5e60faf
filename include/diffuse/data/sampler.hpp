#pragma once

#include <cstdint>
#include <vector>

#include "diffuse/data/dataset.hpp"

namespace diffuse {

/// How an epoch is cut into batches.
struct SamplerOptions {
  std::int64_t batch_size = 128;  ///< most sequences a batch
  std::int64_t sort_window = 50;  ///< batches per length-sorted window; 0 or 1: no sorting
  std::int64_t seed = 1;
  std::int64_t batch_tokens = 0;  ///< most tokens a batch, of more than one sequence; 0: any number
};

/// Batches of epoch `epoch` (0-based): a seeded shuffle, cut into windows of `sort_window`
/// batches, each sorted by length, cut into batches, and the batches shuffled again, so that the
/// rows of a batch are of about the same length. Every row comes exactly once; the last batch may
/// be smaller, and with `batch_tokens` any. A pure function of its arguments: the same on every
/// machine, so a position in an epoch is one number.
std::vector<std::vector<std::uint32_t>> epoch_batches(const DatasetView& view,
                                                      const SamplerOptions& options,
                                                      std::int64_t epoch);

/// Batches for evaluation: longest first, so that the first batch shows the peak memory. With
/// `batch_tokens` above 0 a batch of more than one row holds at most as many tokens.
std::vector<std::vector<std::uint32_t>> evaluation_batches(const DatasetView& view,
                                                           std::int64_t batch_size,
                                                           std::int64_t batch_tokens = 0);

}  // namespace diffuse
