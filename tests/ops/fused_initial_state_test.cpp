// The initial state of the fused operator: tables, what is given, noise and dropout by place; and
// that texts of a batch do not touch one another.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "diffuse/ops/fused_diffusion.hpp"
#include "diffuse/ops/reference/diffusion_step.hpp"

namespace diffuse {
namespace {

constexpr std::int64_t kChannels = 20;
const std::vector<std::int32_t> kTextBounds = {0, 4, 5, 75, 90};
constexpr std::int64_t kBatchRows = 90;

std::vector<float> numbers(std::int64_t count, std::uint64_t seed) {
  std::vector<float> values;
  for (std::int64_t i = 0; i < count; ++i) values.push_back(random_normal({.seed = seed}, i, 0));
  return values;
}

struct InitialState {
  std::vector<float> rows;
  std::vector<float> gradient;  // of the embedding, for a gradient of ones
};

/// The operator without steps, of which the rows come out.
InitialState initial_state(DiffusionSpec spec, const DiffusionInput& input, std::int64_t threads,
                           const FusedOptions& options) {
  spec.dim = kChannels;
  WorkerPool pool(threads);
  FusedDiffusion fused(spec, pool, options);
  fused.set_parameters({}, true);
  InitialState found{std::vector<float>(kBatchRows * kChannels),
                     std::vector<float>(kBatchRows * kChannels)};
  const auto run = [&](const RowGradientSink& target) {
    fused.forward_backward(
        input,
        [&](const FusedDiffusion::Exchange& exchange) {
          const float* from = exchange.output;
          for (const std::int64_t text : exchange.texts) {
            const auto at = static_cast<std::size_t>(text);
            const std::int64_t count = (kTextBounds[at + 1] - kTextBounds[at]) * kChannels;
            std::copy_n(from, count, found.rows.data() + kTextBounds[at] * kChannels);
            from += count;
          }
          std::fill_n(exchange.gradient, from - exchange.output, 1.0F);
        },
        target, {}, fused.slot_count(kTextBounds));
  };
  run({found.gradient.data()});
  std::vector<float> twice = found.gradient;
  run({.gradient = twice.data(), .add = true});
  for (std::size_t i = 0; i < twice.size(); ++i) EXPECT_EQ(twice[i], 2 * found.gradient[i]) << i;
  return found;
}

TEST(FusedInitialState, SumsTablesAndWhatIsGivenThenDropsByPlace) {
  const std::vector<float> first = numbers(7 * kChannels, 1);
  const std::vector<float> second = numbers(3 * kChannels, 2);
  const std::vector<float> given = numbers(kBatchRows * kChannels, 3);
  std::vector<std::int32_t> first_ids;
  std::vector<std::int32_t> second_ids;
  for (std::int32_t i = 0; i < kBatchRows; ++i) {
    first_ids.push_back(i % 7);
    second_ids.push_back(i % 3 - 1);  // -1: none
  }
  const TokenTable tables[] = {{first.data(), first_ids.data()},
                               {second.data(), second_ids.data(), 2.0F}};
  const RandomPlace place{.seed = 77, .update = 5, .batch = 2};
  DiffusionSpec spec;
  spec.noise_std = 0.3;
  spec.embedding_dropout = 0.4;
  for (const std::string_view instructions : FusedDiffusion::instruction_sets()) {
    for (const std::int64_t threads : {1, 3}) {
      const InitialState found = initial_state(
          spec,
          {.offsets = kTextBounds,
           .tables = tables,
           .given = given.data(),
           .random = &place,
           .dropout = true},
          threads, {.instructions = instructions, .piece_rows = threads == 3 ? 2 : 0});
      const std::uint32_t kept = keep_threshold(0.4);
      for (std::int64_t row = 0; row < kBatchRows; ++row) {
        for (std::int64_t c = 0; c < kChannels; ++c) {
          const auto at = static_cast<std::size_t>(row * kChannels + c);
          const bool keeps = random_half(place, RandomStream::embedding_dropout, row, c) < kept;
          const float sum =
              first[static_cast<std::size_t>(row % 7 * kChannels + c)] +
              (row % 3 == 0 ? 0.0F : 2.0F) *
                  second[static_cast<std::size_t>((row % 3 + 2) % 3 * kChannels + c)] +
              given[at] + 0.3F * random_normal(place, row, c);
          ASSERT_NEAR(found.rows[at], keeps ? sum / 0.6F : 0.0F, 1e-5)
              << instructions << ", row " << row << ", channel " << c;
          ASSERT_NEAR(found.gradient[at], keeps ? 1.0F / 0.6F : 0.0F, 1e-6);
        }
      }
    }
  }
}

TEST(FusedInitialState, WithoutDropoutThereIsNoiseAlone) {
  const std::vector<float> table(kChannels, 0.0F);
  const std::vector<std::int32_t> ids(kBatchRows, 0);
  const TokenTable tables[] = {{table.data(), ids.data()}};
  const RandomPlace place{.seed = 3};
  DiffusionSpec spec;
  spec.noise_std = 2.0;
  spec.embedding_dropout = 0.9;
  const InitialState found =
      initial_state(spec, {.offsets = kTextBounds, .tables = tables, .random = &place}, 1, {});
  for (std::int64_t row = 0; row < kBatchRows; ++row)
    ASSERT_NEAR(found.rows[static_cast<std::size_t>(row * kChannels)],
                2.0F * random_normal(place, row, 0), 1e-5);
}

TEST(FusedDiffusion, AnOverflowInOneTextLeavesTheOthersAsTheyAre) {
  DiffusionSpec spec;
  spec.dim = kChannels;
  spec.shifts.assign(2, neighbourhood_shifts(2, 1, true));
  spec.norm = NormPosition::pre;
  spec.pooling = Pooling::mean_max;
  const std::vector<float> weight = numbers(5 * kChannels, 4);
  const std::vector<float> ones(kChannels, 1.0F);
  const std::vector<float> zeros(kChannels, 0.0F);
  const std::vector<float> matrix = numbers(kChannels * kChannels, 5);
  const StepPointers<const float> step{.weight = weight.data(),
                                       .norm_weight = ones.data(),
                                       .norm_bias = zeros.data(),
                                       .in_weight = matrix.data(),
                                       .in_bias = zeros.data()};
  const std::vector<StepPointers<const float>> steps = {step, step};
  const auto run = [&](float poison) {
    std::vector<float> table = numbers(kBatchRows * kChannels, 6);
    std::vector<std::int32_t> ids;
    for (std::int32_t i = 0; i < kBatchRows; ++i) ids.push_back(i);
    // The second and the third of the four texts.
    std::fill(table.begin() + kTextBounds[1] * kChannels,
              table.begin() + kTextBounds[3] * kChannels, poison);
    const TokenTable tables[] = {{table.data(), ids.data()}};
    WorkerPool pool(2);
    FusedDiffusion fused(spec, pool);
    fused.set_parameters(steps, true);
    std::vector<float> rows(kBatchRows * kChannels);
    std::vector<float> sums(5 * kChannels + kChannels * kChannels + 3 * kChannels);
    float* at = sums.data();
    StepPointers<float> sum{.weight = at,
                            .norm_weight = at + 5 * kChannels,
                            .norm_bias = at + 6 * kChannels,
                            .in_weight = at + 8 * kChannels,
                            .in_bias = at + 7 * kChannels};
    const std::vector<StepPointers<float>> gradients = {sum, sum};
    fused.forward_backward(
        {.offsets = kTextBounds, .tables = tables},
        [](const FusedDiffusion::Exchange& exchange) {
          std::fill_n(exchange.gradient, exchange.texts.size() * 2 * kChannels, 1.0F);
        },
        {rows.data()}, gradients, fused.slot_count(kTextBounds));
    return rows;
  };
  const std::vector<float> clean = run(1.0F);
  for (const float poison :
       {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    const std::vector<float> found = run(poison);
    for (std::size_t i = 0; i < found.size(); ++i) {
      const auto row = static_cast<std::int64_t>(i) / kChannels;
      if (row >= kTextBounds[1] && row < kTextBounds[3])
        EXPECT_FALSE(std::isfinite(found[i]) && found[i] != 0.0F) << "nothing was spoiled";
      else
        ASSERT_EQ(found[i], clean[i]) << "row " << row << " beside " << poison;
    }
  }
}

}  // namespace
}  // namespace diffuse
