#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels.hpp"
#include "parameters.hpp"

namespace diffuse::cpu {

/// How a batch's texts are dealt out: longest first, into chunks of several texts that fit a
/// thread's cache together, and those into slots of about as many rows each. Depends on the lengths
/// alone.
class ChunkPlan {
 public:
  struct Part {
    std::int64_t begin = 0;  ///< among order()
    std::int64_t end = 0;
    std::int64_t rows = 0;
  };

  /// `most_rows`: of a chunk of more than one text; `slots`: at least 1.
  void deal(std::span<const std::int32_t> offsets, std::int64_t most_rows, std::int64_t slots);

  std::span<const std::int64_t> texts(const Part& chunk) const {
    return std::span(order_).subspan(static_cast<std::size_t>(chunk.begin),
                                     static_cast<std::size_t>(chunk.end - chunk.begin));
  }
  const std::vector<Part>& chunks() const { return chunks_; }
  /// The chunks of a slot, by number.
  const std::vector<std::int64_t>& slot(std::int64_t index) const {
    return slots_[static_cast<std::size_t>(index)];
  }
  std::int64_t slot_count() const { return slot_count_; }
  std::int64_t largest_chunk() const { return largest_chunk_; }

 private:
  std::vector<std::int64_t> order_;
  std::vector<Part> chunks_;
  std::vector<std::vector<std::int64_t>> slots_;
  std::vector<std::int64_t> load_;
  std::int64_t slot_count_ = 0;
  std::int64_t largest_chunk_ = 0;
};

/// A thread's memory: grows to what the largest chunk needs, and stays.
class ThreadMemory {
 public:
  /// Lays out the arrays for a chunk of `rows` rows and `texts` texts; `keep`: what the gradient
  /// needs too.
  void arrange(const DiffusionPlan& plan, std::int64_t rows, std::int64_t texts, bool keep);

  Workspace workspace;
  std::uint16_t* bits = nullptr;       ///< of dropout
  float* output = nullptr;             ///< pooled, as pool_chunk gives it
  float* output_gradient = nullptr;    ///< the same shape
  std::vector<std::int64_t> bounds{};  ///< for Chunk
  std::vector<float> dense{};          ///< output without padding, and its gradient
  std::vector<float> dense_gradient{};

 private:
  FloatBuffer buffer_;
};

/// Bytes that a row takes in a thread's memory.
std::int64_t bytes_a_row(const DiffusionPlan& plan, bool keep);

}  // namespace diffuse::cpu
