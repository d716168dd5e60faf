#include "diffuse/data/sampler.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <numeric>
#include <span>

#include "diffuse/base/error.hpp"
#include "diffuse/base/random.hpp"

namespace diffuse {
namespace {

using Batches = std::vector<std::vector<std::uint32_t>>;

/// `batch_tokens` 0: no limit.
Batches cut(const EncodedDataset& data, std::span<const std::uint32_t> rows,
            std::int64_t batch_size, std::int64_t batch_tokens) {
  const auto size = static_cast<std::size_t>(batch_size);
  Batches batches;
  batches.reserve((rows.size() + size - 1) / size);
  std::int64_t tokens = 0;  // of the last batch
  for (const std::uint32_t row : rows) {
    const std::int64_t length = data.length(row);
    const bool over_budget = batch_tokens > 0 && tokens + length > batch_tokens;
    if (batches.empty() || batches.back().size() == size || over_budget) {
      batches.emplace_back().reserve(std::min(size, rows.size()));
      tokens = 0;
    }
    batches.back().push_back(row);
    tokens += length;
  }
  return batches;
}

void check_batch_size(std::int64_t batch_size) {
  if (batch_size < 1) {
    throw ConfigError(fmt::format("batch size {}; expected at least 1", batch_size));
  }
}

}  // namespace

Batches epoch_batches(const DatasetView& view, const SamplerOptions& options, std::int64_t epoch) {
  check_batch_size(options.batch_size);
  Random random(
      mix_seed(static_cast<std::uint64_t>(options.seed), static_cast<std::uint64_t>(epoch)));
  std::vector<std::uint32_t> rows = view.rows;
  shuffle(rows, random);
  if (options.sort_window > 1) {
    // Neither factor is trusted to be small: the product must not overflow.
    const auto count = static_cast<std::int64_t>(rows.size());
    const std::int64_t window = options.sort_window > count / options.batch_size
                                    ? std::max<std::int64_t>(count, 1)
                                    : options.sort_window * options.batch_size;
    for (std::int64_t begin = 0; begin < count; begin += window) {
      std::stable_sort(rows.begin() + begin, rows.begin() + std::min(begin + window, count),
                       [&](std::uint32_t a, std::uint32_t b) {
                         return view.data->length(a) < view.data->length(b);
                       });
    }
  }
  Batches batches = cut(*view.data, rows, options.batch_size, options.batch_tokens);
  std::vector<std::uint32_t> order(batches.size());
  std::iota(order.begin(), order.end(), std::uint32_t{0});
  shuffle(order, random);
  Batches shuffled;
  shuffled.reserve(batches.size());
  for (const std::uint32_t batch : order) shuffled.push_back(std::move(batches[batch]));
  return shuffled;
}

Batches evaluation_batches(const DatasetView& view, std::int64_t batch_size,
                           std::int64_t batch_tokens) {
  check_batch_size(batch_size);
  std::vector<std::uint32_t> rows = view.rows;
  std::stable_sort(rows.begin(), rows.end(), [&](std::uint32_t a, std::uint32_t b) {
    return view.data->length(a) > view.data->length(b);
  });
  return cut(*view.data, rows, batch_size, batch_tokens);
}

}  // namespace diffuse
