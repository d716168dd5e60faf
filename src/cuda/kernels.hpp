#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "ops/rows/adamw.hpp"
#include "ops/rows/initial_state.hpp"
#include "ops/rows/neighbour_mix.hpp"
#include "ops/rows/sorted_rows.hpp"
#include "ops/rows/text_loss.hpp"

namespace diffuse::cuda {

/// The kernels of the operations in src/ops/dispatched. Pointers are the device's; each call only
/// puts work on `stream`. They compile without LibTorch but for its half-precision types.

void text_of_rows(const std::int32_t* offsets, std::int32_t texts, std::int64_t rows,
                  std::int32_t* of_row, cudaStream_t stream);

/// `result` [N, D]. T: float, c10::BFloat16 or c10::Half with A float; double with double.
template <class T, class A>
void mix(const rows::Mix<T, A>& mix, A* result, cudaStream_t stream);

/// Gradients of values and base, [N, D].
template <class T, class A>
void mix_row_gradients(const rows::Mix<T, A>& mix, const A* gradient, T* values, A* base,
                       cudaStream_t stream);

/// `result` [N, D], zeros where a neighbour is none of the row's text.
template <class T>
void neighbour_rows(const T* values, const rows::Texts& texts, std::int64_t rows, std::int64_t dim,
                    std::int64_t shift, T* result, cudaStream_t stream);

/// Elements of the memory that mix_weight_gradients needs.
std::int64_t mix_partial_elements(std::int64_t rows, std::int64_t dim, int shifts);

/// Gradients of weight [K, D], by channel in any case, and keep [D], where the mix has it;
/// `partial` for sums meanwhile.
template <class T, class A>
void mix_weight_gradients(const rows::Mix<T, A>& mix, const A* gradient, A* partial, A* weight,
                          A* keep, cudaStream_t stream);

/// Writes the two words of a rows::PlaceWords.
void write_place(std::int64_t seed, std::int64_t rest, std::int64_t* place, cudaStream_t stream);

void dropped_ids(const std::int32_t* ids, std::int64_t rows, rows::PlaceWords place,
                 RandomStream stream_of, std::uint32_t threshold, std::int64_t span,
                 std::int32_t other, std::int32_t* result, cudaStream_t stream);

void pair_ids(const std::int32_t* tokens, const rows::Texts& texts, std::int64_t rows,
              std::int64_t buckets, std::int32_t* result, cudaStream_t stream);

/// `result` [N, D]. A: float or double.
template <class A>
void initial_state(const rows::InitialState<A>& state, A* result, cudaStream_t stream);

/// Dropout of `x` [rows, dim].
template <class T, class A>
void dropped_elements(const T* x, std::int64_t rows, std::int64_t dim, rows::PlaceWords place,
                      RandomStream stream_of, std::uint32_t threshold, A scale, T* result,
                      cudaStream_t stream);

/// The sums into `result`, which is zero; `heads` and `tails` [rows::sorted_chunks, D] for
/// sums meanwhile.
template <class A>
void sum_rows(const rows::SortedRows<A>& sorted, A* heads, A* tails, A* result,
              cudaStream_t stream);

/// Brings the rows of the runs of `ids` [count], or rows 0 … count - 1 where that is null, to the
/// clock's update, or to that before where they are not to make the `present` one.
void follow_rows(const rows::AdamWTable& table, const std::int32_t* ids, std::int64_t count,
                 bool present, cudaStream_t stream);

/// The clock's update of the rows of the runs. `gradient` [count, D]; `divisor` null: 1.
void update_rows(const rows::AdamWTable& table, const std::int32_t* ids, std::int64_t count,
                 const float* gradient, const float* divisor, cudaStream_t stream);

/// `loss` and `correct` [B], `gradient` [B, C] of the loss by the logits.
template <class A>
void text_losses(const rows::TextLosses<A>& losses, A* loss, A* gradient, std::int64_t* correct,
                 cudaStream_t stream);

/// What is pooled, and where it stands. `mean` or `most` null: not wanted.
template <class A>
struct Pool {
  std::int64_t texts = 0;                 ///< B
  std::int64_t rows = 0;                  ///< N
  std::int64_t dim = 0;                   ///< D
  std::int64_t width = 0;                 ///< of a row of what is pooled: D or 2 D
  const std::int32_t* offsets = nullptr;  ///< [B + 1]
  const A* values = nullptr;              ///< [N, D]
};

template <class A>
void pool(const Pool<A>& pool, A* mean, A* most, std::int32_t* ties, cudaStream_t stream);

/// `result` [N, D]; the gradients and `most` in rows of `pool.width`, `ties` [B, D].
template <class A>
void pool_gradient(const Pool<A>& pool, const std::int32_t* of_row, const A* mean_gradient,
                   const A* most_gradient, const A* most, const std::int32_t* ties, A* result,
                   cudaStream_t stream);

}  // namespace diffuse::cuda
