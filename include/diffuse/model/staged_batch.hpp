#pragma once

#include <ATen/core/Tensor.h>

#include <compare>
#include <cstdint>
#include <memory>

#include "diffuse/data/packed_rows.hpp"
#include "diffuse/model/classifier.hpp"
#include "diffuse/ops/counter_random.hpp"

namespace diffuse {

/// What training needs beside a batch, and what changes from one to the next.
struct StagedNumbers {
  RandomPlace place{};
  double learning_rate = 0;
  double share = 0;  ///< of a text's loss in the update's
  AdamWClock clock{};
};

/// Memory of a device for batches of one shape, whose place and shape never change, so that what
/// computes on it can be recorded. The rows of a batch are filled up with rows of a text of no
/// label, which is behind the last one and has its end in `offsets` alone: [B + 2].
class StagedBatch {
 public:
  struct Shape {
    std::int64_t rows = 0;     ///< with those that fill up
    std::int64_t texts = 0;    ///< B
    std::int64_t classes = 0;  ///< C of the distributions; 0: none
    bool weights = false;
    bool several = false;
    auto operator<=>(const Shape&) const = default;
  };
  /// The shape that `rows` are filled up to: an eighth more rows at most, or 64, so that there are
  /// few shapes.
  static Shape shape_of(const PackedRows& rows);

  StagedBatch(const Shape& shape, at::Device device);

  /// Takes over a batch of this shape and its numbers, in one copy that nothing waits for.
  void load(const PackedRows& rows, const StagedNumbers& numbers);

  /// The batch on the device; `host`: what was loaded.
  Batch batch(std::shared_ptr<const PackedRows> host) const;
  at::Tensor place() const;          ///< as random_place (ops/dispatched/initial_state.hpp)
  at::Tensor learning_rate() const;  ///< float32, a number
  at::Tensor share() const;          ///< float32, a number
  at::Tensor clock() const;          ///< as clock_on (ops/dispatched/row_adamw.hpp)

 private:
  /// Where each part begins, in bytes.
  struct Layout {
    explicit Layout(const Shape& shape);
    std::int64_t numbers = 0;
    std::int64_t clock = 0;
    std::int64_t labels = 0;
    std::int64_t offsets = 0;
    std::int64_t tokens = 0;
    std::int64_t weights = 0;
    std::int64_t distributions = 0;
    std::int64_t end = 0;
  };

  at::Tensor part(std::int64_t from, std::int64_t to, at::ScalarType type) const;

  Shape shape_;
  Layout layout_;
  at::Tensor memory_;
};

}  // namespace diffuse
