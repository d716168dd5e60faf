#include "diffuse/bench/workload.hpp"

#include <algorithm>

#include "diffuse/base/error.hpp"
#include "diffuse/base/random.hpp"

namespace diffuse {
namespace {

// Several, so that no cache holds all the rows of the embedding that are read.
constexpr std::size_t kSyntheticBatches = 4;

}  // namespace

double Workload::tokens_a_batch() const {
  double sum = 0;
  for (const PackedRows& batch : batches) sum += static_cast<double>(batch.tokens().size());
  return sum / static_cast<double>(batches.size());
}

double Workload::examples_a_batch() const {
  double sum = 0;
  for (const PackedRows& batch : batches) sum += static_cast<double>(batch.labels().size());
  return sum / static_cast<double>(batches.size());
}

std::vector<std::int64_t> Workload::lengths(std::size_t index) const {
  const std::span<const std::int32_t> offsets = batches.at(index).offsets();
  std::vector<std::int64_t> found;
  for (std::size_t i = 0; i + 1 < offsets.size(); ++i) found.push_back(offsets[i + 1] - offsets[i]);
  return found;
}

std::int64_t Workload::largest_batch_tokens() const {
  std::size_t most = 0;
  for (const PackedRows& batch : batches) most = std::max(most, batch.tokens().size());
  return static_cast<std::int64_t>(most);
}

Workload synthetic_workload(const ModelShape& shape, std::int64_t batch_size, std::int64_t seq_len,
                            std::uint64_t seed) {
  if (batch_size < 1 || seq_len < 1) throw Error("A batch needs at least one text of one token.");
  Random random(seed);
  Workload workload;
  for (std::size_t i = 0; i < kSyntheticBatches; ++i) {
    PackedRows& rows = workload.batches.emplace_back();
    rows.resize(static_cast<std::size_t>(batch_size * seq_len),
                static_cast<std::size_t>(batch_size));
    auto token = rows.tokens().begin();
    rows.offsets()[0] = 0;
    for (std::size_t text = 0; text < rows.labels().size(); ++text) {
      for (std::int64_t word = 0; word < seq_len; ++word)
        *token++ =
            static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(shape.vocab_size)));
      rows.offsets()[text + 1] = static_cast<std::int32_t>(token - rows.tokens().begin());
      rows.labels()[text] =
          static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(shape.class_count)));
    }
  }
  return workload;
}

Workload text_workload(const EncodedDataset& data,
                       std::span<const std::vector<std::uint32_t>> row_batches) {
  Workload workload;
  for (const auto& rows : row_batches) workload.batches.push_back(pack_rows(data, rows));
  if (workload.batches.empty()) throw Error("There are no texts to measure with.");
  return workload;
}

}  // namespace diffuse
