#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels.hpp"
#include "packing.hpp"

namespace diffuse::cpu {

/// What a pass forward keeps for the way back: nothing; all that it needs; of f's activations their
/// inputs alone, from which they are computed again a block of rows at a time, which takes less
/// time than to have them back from beyond the cache; or some states, from which all is computed
/// again.
enum class Keep { nothing, all, inputs, some_states };

/// How many states those are, beside the initial one, which is made anew from the tables.
inline constexpr std::int64_t kSavedStates = 2;

/// A thread's memory: grows to what the largest chunk needs, and stays.
class ThreadMemory {
 public:
  /// Takes up whole texts, by number.
  void take_texts(std::span<const std::int64_t> texts, std::span<const std::int32_t> offsets);
  /// Takes up a piece of a text, and `halo` rows to each side where the text has them.
  void take_piece(RowSpan piece, std::int64_t text, std::span<const std::int32_t> offsets,
                  std::int64_t halo);
  /// Lays out the arrays for what was taken up, and for what is kept.
  void arrange(const DiffusionPlan& plan, Keep keep);
  Chunk chunk() const { return {bounds, own}; }

  Workspace workspace;
  std::uint16_t* bits = nullptr;           ///< of dropout
  float* output = nullptr;                 ///< pooled, as pool_chunk gives it
  float* output_gradient = nullptr;        ///< the same shape
  std::vector<RowRange> rows{};            ///< the batch's rows that the chunk has, text by text
  std::vector<std::int64_t> bounds{};      ///< of those texts, for Chunk
  RowSpan own{};                           ///< for Chunk
  Keep kept = Keep::nothing;               ///< as arrange was told
  std::vector<float*> saved{};             ///< [R, D] each, for some states
  std::vector<std::size_t> saved_steps{};  ///< before which step each of them was, ascending
  std::vector<float> dense{};              ///< output without padding, and its gradient
  std::vector<float> dense_gradient{};

 private:
  FloatBuffer buffer_;
};

/// Bytes that a row takes in a thread's memory.
std::int64_t bytes_a_row(const DiffusionPlan& plan, Keep keep);

}  // namespace diffuse::cpu
