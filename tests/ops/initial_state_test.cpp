#include "diffuse/ops/dispatched/initial_state.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <vector>

#include "diffuse/base/error.hpp"
#include "diffuse/ops/bigrams.hpp"
#include "diffuse/ops/fused_diffusion.hpp"
#include "support/message_of.hpp"
#include "support/on_device.hpp"

namespace diffuse {
namespace {

using testing::message_of;

constexpr RandomPlace kPlace{.seed = 0xFEDC'BA98'7654'3210, .update = 0x89AB'CDEF, .batch = 3};

std::vector<std::int32_t> some_tokens(std::int64_t count, std::int64_t words) {
  const at::Tensor tokens =
      at::randint(words, {count}, at::detail::createCPUGenerator(3), at::TensorOptions(at::kInt));
  return {tokens.const_data_ptr<std::int32_t>(), tokens.const_data_ptr<std::int32_t>() + count};
}

class InitialStateOn : public testing::OnDevice {
 protected:
  at::Tensor here(const std::vector<std::int32_t>& numbers) const {
    return at::tensor(numbers, at::kInt).to(device_);
  }
  at::Tensor random(at::IntArrayRef shape, std::uint64_t seed) const {
    return at::randn(shape, at::detail::createCPUGenerator(seed), at::TensorOptions(at::kDouble))
        .to(device_)
        .set_requires_grad(true);
  }
  at::Tensor place() const { return random_place(kPlace, at::zeros({1}, device_)); }
};

TEST_P(InitialStateOn, TokensAreDroppedAsOnTheCpu) {
  for (const std::int64_t span : {1, 4}) {
    std::vector<std::int32_t> tokens = some_tokens(1000, 90);
    const at::Tensor found =
        dropped_ids(here(tokens), place(), RandomStream::token_dropout, 0.2, span, -7).cpu();
    drop_ids(kPlace, RandomStream::token_dropout, 0.2, span, -7, tokens);
    EXPECT_TRUE(at::equal(found, at::tensor(tokens, at::kInt))) << span;
    EXPECT_NEAR(found.eq(-7).sum().item<double>(), 200, 50) << span;
  }
}

TEST_P(InitialStateOn, PairsAreThoseOfTheCpu) {
  const std::vector<std::int32_t> offsets = {0, 1, 2, 40, 41, 300};
  const std::vector<std::int32_t> tokens = some_tokens(300, 20);
  std::vector<std::int32_t> wanted(tokens.size());
  bigram_rows(tokens, offsets, 1000, wanted);
  const at::Tensor found = pair_ids(here(tokens), TextRows(here(offsets), 300), 1000).cpu();
  EXPECT_TRUE(at::equal(found, at::tensor(wanted, at::kInt)));
}

TEST_P(InitialStateOn, ATablesGradientIsTheSumOfItsRowsWhereverChunksEnd) {
  // Runs of one, of a whole chunk and its neighbours, over several chunks; none at all of id 4.
  for (const std::vector<int>& counts : {std::vector<int>{1},
                                         {32},
                                         {33},
                                         {31, 1},
                                         {31, 2},
                                         {1, 31, 32, 64},
                                         {5, 90, 1, 200, 0, 3}}) {
    std::vector<std::int32_t> ids;
    for (std::size_t id = 0; id < counts.size(); ++id)
      ids.insert(ids.end(), static_cast<std::size_t>(counts[id]), static_cast<std::int32_t>(id));
    // Not in order, and some without a row.
    for (std::size_t i = 0; i < ids.size(); ++i) std::swap(ids[i], ids[(i * 7) % ids.size()]);
    ids.insert(ids.begin() + static_cast<std::ptrdiff_t>(ids.size() / 2), 40, -1);
    const auto count = static_cast<std::int64_t>(ids.size());
    const at::Tensor table = random({7, 3}, 1);
    const at::Tensor gradient = random({count, 3}, 2).detach();
    initial_state({.words = table, .word_ids = here(ids)}).backward(gradient);
    at::Tensor wanted = at::zeros({7, 3}, at::kDouble);
    const at::Tensor rows = gradient.cpu();
    for (std::int64_t i = 0; i < count; ++i)
      if (ids[static_cast<std::size_t>(i)] >= 0)
        wanted.select(0, ids[static_cast<std::size_t>(i)]).add_(rows.select(0, i));
    EXPECT_TRUE(at::allclose(table.grad().cpu(), wanted, 1e-12, 1e-12)) << count;
  }
}

TEST_P(InitialStateOn, TheOrderOfASumDependsOnNoThreads) {
  const at::Tensor ids = here(some_tokens(5000, 11));
  const at::Tensor gradient = random({5000, 5}, 2).detach().to(at::kFloat);
  const auto gradient_of = [&] {
    const at::Tensor table = random({11, 5}, 1).detach().to(at::kFloat).set_requires_grad(true);
    initial_state({.words = table, .word_ids = ids}).backward(gradient);
    return table.grad();
  };
  const at::Tensor first = gradient_of();
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  EXPECT_TRUE(at::equal(gradient_of(), first));
  at::set_num_threads(threads);
}

TEST_P(InitialStateOn, NoiseAndDropoutAreThoseOfTheirPlace) {
  constexpr std::int64_t kRows = 70;
  constexpr std::int64_t kStateDim = 37;
  const at::Tensor found = initial_state({.given = at::zeros({kRows, kStateDim}, device_),
                                          .place = place(),
                                          .noise_std = 0.5,
                                          .dropout = 0.25})
                               .cpu();
  std::int64_t gone = 0;
  for (std::int64_t row = 0; row < kRows; ++row) {
    for (std::int64_t channel = 0; channel < kStateDim; ++channel) {
      const bool stays =
          random_half(kPlace, RandomStream::embedding_dropout, row, channel) < keep_threshold(0.25);
      const float wanted = stays ? random_normal(kPlace, row, channel) * 0.5F / 0.75F : 0.0F;
      ASSERT_NEAR(found[row][channel].item<float>(), wanted, 1e-5F);
      gone += stays ? 0 : 1;
    }
  }
  EXPECT_NEAR(static_cast<double>(gone), 0.25 * kRows * kStateDim, 100);
}

TEST_P(InitialStateOn, OtherUpdatesAndBatchesDrawOtherNumbers) {
  const auto drawn = [&](const RandomPlace& at) {
    const at::Tensor x = at::ones({4, 64}, device_);
    return dropped_elements(x, random_place(at, x), RandomStream::head_input_dropout, 0.5);
  };
  const at::Tensor base = drawn(kPlace);
  EXPECT_TRUE(at::equal(drawn(kPlace), base));
  RandomPlace other = kPlace;
  other.batch = 4;
  EXPECT_FALSE(at::equal(drawn(other), base));
  other = kPlace;
  other.update += 1;
  EXPECT_FALSE(at::equal(drawn(other), base));
  other = kPlace;
  other.seed += std::uint64_t{1} << 40;
  EXPECT_FALSE(at::equal(drawn(other), base));
}

TEST_P(InitialStateOn, DropoutOfElementsWorksInHalfPrecisionAndBackwards) {
  for (const at::ScalarType type : {at::kFloat, at::kHalf, at::kBFloat16}) {
    const at::Tensor x = at::ones({3, 5}, at::TensorOptions(device_).dtype(type));
    x.set_requires_grad(true);
    const at::Tensor found = dropped_elements(x, place(), RandomStream::head_input_dropout, 0.5);
    EXPECT_EQ(found.scalar_type(), type);
    found.backward(at::full_like(found, 3));
    EXPECT_TRUE(at::equal(x.grad(), found.detach().mul(3)));
  }
}

TEST_P(InitialStateOn, DropoutRoundsItsProductAndNotItsFactor) {
  for (const at::ScalarType type : {at::kHalf, at::kBFloat16}) {
    const at::Tensor x = at::arange(1, 257, at::kDouble).view({16, 16}).to(device_, type);
    const at::Tensor found = dropped_elements(x, place(), RandomStream::head_input_dropout, 0.3);
    const at::Tensor wanted = x.to(at::kFloat).mul(1.0 / 0.7).mul(found.ne(0)).to(type);
    EXPECT_TRUE(at::equal(found, wanted)) << type;
  }
}

TEST(InitialState, SaysWhatDoesNotFit) {
  const at::Tensor table = at::ones({4, 3});
  const at::Tensor ids = at::zeros({5}, at::kInt);
  for (const InitialState& wrong :
       {InitialState{}, InitialState{.words = table}, InitialState{.word_ids = ids},
        InitialState{.words = table, .word_ids = ids.to(at::kLong)},
        InitialState{.words = table, .word_ids = ids, .given = at::ones({4, 3})},
        InitialState{.words = table, .word_ids = ids, .pairs = at::ones({9, 2}), .pair_ids = ids},
        InitialState{.words = table, .word_ids = ids, .pairs = table}}) {
    EXPECT_EQ(message_of<Error>([&] { initial_state(wrong); }),
              "initial_state: expected a table [V, D] with ids int32 [N] of it, rows [N, D] that "
              "are given, or both; and of pairs the same.");
  }
  EXPECT_EQ(
      message_of<Error>([&] { initial_state({.words = table.to(at::kHalf), .word_ids = ids}); }),
      "An operation of diffuse got Half; expected float32 or float64.");
}

INSTANTIATE_TEST_SUITE_P(, InitialStateOn, testing::every_device(), testing::device_name);

}  // namespace
}  // namespace diffuse
