// An update takes its memory from the one before: after some, none that grows with tokens, width or
// vocabulary is asked for. All of this program's memory is counted here, by its operator new and by
// LibTorch's allocator.

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <new>
#include <vector>

#include <c10/core/CPUAllocator.h>

#include "../../src/train/updater.hpp"
#include "diffuse/model/model_factory.hpp"

namespace {

std::atomic<bool> counting{false};
std::atomic<std::size_t> largest_bytes{0};

void note(std::size_t bytes) {
  if (!counting) return;
  std::size_t known = largest_bytes;
  while (bytes > known && !largest_bytes.compare_exchange_weak(known, bytes)) {
  }
}

void* take(std::size_t bytes, std::size_t alignment) {
  note(bytes);
  void* memory = nullptr;
  if (posix_memalign(&memory, alignment, bytes == 0 ? 1 : bytes) != 0) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(std::size_t bytes) { return take(bytes, alignof(std::max_align_t)); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return take(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

namespace diffuse {
namespace {

/// LibTorch's own allocator, and what it is asked for.
class NotedAllocator : public c10::Allocator {
 public:
  c10::DataPtr allocate(std::size_t bytes) override {
    note(bytes);
    return own_->allocate(bytes);
  }
  c10::DeleterFnPtr raw_deleter() const override { return own_->raw_deleter(); }
  void copy_data(void* to, const void* from, std::size_t bytes) const override {
    default_copy_data(to, from, bytes);
  }

 private:
  c10::Allocator* own_ = c10::GetDefaultCPUAllocator();
};

constexpr ModelShape kWords{.vocab_size = 3000, .class_count = 4, .mask_id = 1};

/// 64 texts of 20 to 39 tokens.
std::shared_ptr<const PackedRows> some_texts(std::uint32_t seed) {
  std::vector<std::int32_t> tokens;
  std::vector<std::int32_t> offsets = {0};
  std::vector<std::int64_t> labels;
  const auto below = [&seed](std::uint32_t bound) {
    seed = seed * 1664525U + 1013904223U;
    return static_cast<std::int32_t>((seed >> 8) % bound);
  };
  for (int text = 0; text < 64; ++text) {
    for (std::int32_t left = 20 + below(20); left > 0; --left) tokens.push_back(below(3000));
    offsets.push_back(static_cast<std::int32_t>(tokens.size()));
    labels.push_back(below(4));
  }
  return std::make_shared<PackedRows>(tokens, offsets, labels);
}

struct Kind {
  EmbeddingUpdate update;
  Precision precision;
  std::int64_t dim;
  std::int64_t bigram_buckets = 0;
  double adversarial = 0;
};

class Allocation : public ::testing::TestWithParam<Kind> {};

TEST_P(Allocation, AnUpdateAsksForNothingThatGrows) {
  Config config;
  config.model.token_dropout = 0.1;
  config.model.dim = GetParam().dim;
  config.model.bigram_buckets = GetParam().bigram_buckets;
  config.train.adversarial = GetParam().adversarial;
  config.train.embedding_update = GetParam().update;
  const auto classifier = make_classifier(config, kWords, 1);
  Updater updater(config.train, GetParam().precision, *classifier);
  StepClock clock(at::kCPU, 1);
  std::vector<std::shared_ptr<const PackedRows>> batches;
  for (std::uint32_t seed = 1; seed <= 4; ++seed) batches.push_back(some_texts(seed));
  std::int64_t update = 0;
  const auto go_through_batches = [&] {
    for (const auto& rows : batches) {
      clock.begin_update();
      updater.apply(
          1, 64, [&](std::size_t) { return make_batch(rows, at::kCPU); }, ++update, 1e-3, clock);
      clock.end_update();
    }
  };
  NotedAllocator noted;
  c10::Allocator* const own = c10::GetCPUAllocator();
  c10::SetCPUAllocator(&noted, 10);
  largest_bytes = 0;
  counting = true;
  go_through_batches();
  EXPECT_GT(largest_bytes, 2000U * sizeof(float));  // that they are counted at all
  // Beside other work a thread may come late to its first chunk, or to its largest.
  constexpr int kMostPasses = 30;
  for (int pass = 0; pass < kMostPasses && (pass == 0 || largest_bytes >= 2048U); ++pass) {
    largest_bytes = 0;
    go_through_batches();
  }
  counting = false;
  c10::SetCPUAllocator(own, 10);
  // Names, lists of tensors and of tasks: a row of ids of one batch would be 7 KB.
  EXPECT_LT(largest_bytes, 2048U);
}

INSTANTIATE_TEST_SUITE_P(Updates, Allocation,
                         ::testing::Values(Kind{EmbeddingUpdate::touched, Precision::fp32, 64},
                                           Kind{EmbeddingUpdate::dense, Precision::fp32, 64},
                                           Kind{EmbeddingUpdate::touched, Precision::bf16, 64},
                                           Kind{EmbeddingUpdate::touched, Precision::fp32, 33},
                                           Kind{EmbeddingUpdate::touched, Precision::fp32, 64, 5000,
                                                0.05}));

}  // namespace
}  // namespace diffuse
