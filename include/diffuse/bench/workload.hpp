#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <span>
#include <vector>

#include "diffuse/data/dataset.hpp"
#include "diffuse/model/classifier.hpp"
#include "diffuse/model/model_factory.hpp"

namespace diffuse {

/// Batches for a contender to work on, over and over.
struct Workload {
  std::vector<PackedRows> batches;

  /// Means over the batches.
  double tokens_a_batch() const;
  double examples_a_batch() const;
  /// Of every text of batch `index`.
  std::vector<std::int64_t> lengths(std::size_t index) const;
  std::int64_t largest_batch_tokens() const;
};

/// Batches of `batch_size` texts of `seq_len` random tokens each; `seed` decides them.
Workload synthetic_workload(const ModelShape& shape, std::int64_t batch_size, std::int64_t seq_len,
                            std::uint64_t seed);

/// The batches of `row_batches` (row numbers of `data`) at their texts' real lengths.
Workload text_workload(const EncodedDataset& data,
                       std::span<const std::vector<std::uint32_t>> row_batches);

}  // namespace diffuse
