#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/empty.h>

#include "checks.hpp"
#include "diffuse/ops/dispatched/initial_state.hpp"
#include "diffuse/ops/reference/bigrams.hpp"

namespace diffuse {
namespace {

using Leaves = std::vector<at::Tensor>;

constexpr RandomPlace kPlace{.seed = 0x1234'5678'9ABC'DEF0, .update = 7, .batch = 2};
constexpr double kDropout = 0.3;
constexpr std::int64_t kBuckets = 40;

at::Tensor tokens_of(const CheckedBatch& batch, std::int64_t words) {
  // Squared, so that some words come often and many never.
  const at::Tensor share =
      at::empty({batch.rows()}, at::kDouble).uniform_(0, 1, at::detail::createCPUGenerator(11));
  return share.square().mul(words).floor().to(at::kInt);
}

/// What each element of [rows, channels] is multiplied by where dropout takes some.
at::Tensor kept(RandomStream stream, std::int64_t rows, std::int64_t channels) {
  at::Tensor factors = at::empty({rows, channels}, at::kDouble);
  auto* to = factors.mutable_data_ptr<double>();
  for (std::int64_t row = 0; row < rows; ++row)
    for (std::int64_t channel = 0; channel < channels; ++channel)
      *to++ = random_half(kPlace, stream, row, channel) < keep_threshold(kDropout)
                  ? 1.0 / (1.0 - kDropout)
                  : 0.0;
  return factors;
}

at::Tensor noise_of(const CheckedBatch& batch, double noise_std) {
  at::Tensor noise = at::empty({batch.rows(), batch.dim}, at::kDouble);
  auto* to = noise.mutable_data_ptr<double>();
  for (std::int64_t row = 0; row < batch.rows(); ++row)
    for (std::int64_t channel = 0; channel < batch.dim; ++channel)
      *to++ = noise_std * static_cast<double>(random_normal(kPlace, row, channel));
  return noise;
}

}  // namespace

void check_initial_state(const CheckedBatch& batch, at::ScalarType type, Checks& checks) {
  const std::int64_t words = 1 + batch.rows() / 3;
  const at::Tensor tokens = tokens_of(batch, words);
  const Leaves given = {random_numbers({words, batch.dim}, 12).to(type),
                        random_numbers({kBuckets, batch.dim}, 13).to(type),
                        random_numbers({batch.rows(), batch.dim}, 14).to(type)};
  const at::Tensor pair_factors = kept(RandomStream::bigram_dropout, batch.rows(), 1);
  const at::Tensor factors = kept(RandomStream::embedding_dropout, batch.rows(), batch.dim);
  // Normal numbers are float32 always, and a device's logarithm need not round as the CPU's does.
  const double noise_std = type == at::kDouble ? 0 : 0.5;
  const at::Tensor noise = noise_of(batch, noise_std);
  checks.compare(
      "initial_state", {"words", "pairs", "given"}, batch, type, given,
      [&](const Leaves& leaves) {
        const at::Tensor ids = tokens.to(checks.device());
        const at::Tensor place = random_place(kPlace, ids);
        const at::Tensor pairs = pair_ids(ids, batch.texts(checks.device()), kBuckets);
        return initial_state(
            {.words = leaves[0],
             .word_ids = ids,
             .pairs = leaves[1],
             .pair_ids = dropped_ids(pairs, place, RandomStream::bigram_dropout, kDropout, 1, -1),
             .pair_scale = 1.0 / (1.0 - kDropout),
             .given = leaves[2],
             .place = place,
             .noise_std = noise_std,
             .dropout = kDropout});
      },
      [&](const Leaves& leaves) {
        const at::Tensor pairs =
            reference_bigram_rows(tokens, batch.texts(at::kCPU).offsets, kBuckets);
        return at::embedding(leaves[0], tokens)
            .add(at::embedding(leaves[1], pairs).mul(pair_factors))
            .add(leaves[2])
            .add(noise)
            .mul(factors);
      });
  checks.compare(
      "dropped_elements", {"x"}, batch, type, {given[2]},
      [&](const Leaves& leaves) {
        return dropped_elements(leaves[0], random_place(kPlace, leaves[0].detach()),
                                RandomStream::embedding_dropout, kDropout);
      },
      [&](const Leaves& leaves) { return leaves[0].mul(factors); });
}

}  // namespace diffuse
