#include <c10/util/BFloat16.h>
#include <c10/util/Half.h>

#include "grid.hpp"
#include "kernels.hpp"

namespace diffuse::cuda {
namespace {

__global__ void write_words(std::int64_t seed, std::int64_t rest, std::int64_t* place) {
  place[0] = seed;
  place[1] = rest;
}

__global__ void drop_row_ids(const std::int32_t* ids, std::int64_t rows, rows::PlaceWords place,
                             RandomStream stream_of, std::uint32_t threshold, std::int64_t span,
                             std::int32_t other, std::int32_t* result) {
  const std::int64_t row = thread_row();
  if (row < rows)
    result[row] = rows::kept_id(ids, place.place(), stream_of, row, threshold, span, other);
}

__global__ void find_pairs(const std::int32_t* tokens, rows::Texts texts, std::int64_t rows,
                           std::int64_t buckets, std::int32_t* result) {
  const std::int64_t row = thread_row();
  if (row < rows) result[row] = rows::pair_id(tokens, texts, row, buckets);
}

/// The octet of channels of a thread, whose row may be beyond the last.
struct Octet {
  std::int64_t row;
  std::int64_t first;
};
__device__ inline Octet thread_octet(std::int64_t dim) {
  const std::int64_t index = thread_row();
  return {index / rows::octets(dim), index % rows::octets(dim) * rows::kOctet};
}

template <class A>
__global__ void initial_octets(const __grid_constant__ rows::InitialState<A> state, A* result) {
  const auto [row, first] = thread_octet(state.dim);
  if (row < state.rows) rows::initial_octet(state, row, first, result + row * state.dim + first);
}

template <class T, class A>
__global__ void drop(const T* x, std::int64_t count, std::int64_t dim, rows::PlaceWords place,
                     RandomStream stream_of, std::uint32_t threshold, A scale, T* result) {
  const auto [row, first] = thread_octet(dim);
  if (row < count)
    rows::dropped_octet(x, dim, place.place(), stream_of, threshold, scale, row, first,
                        result + row * dim + first);
}

template <class A>
__global__ void add_sorted_chunks(const __grid_constant__ rows::SortedRows<A> sorted,
                                  std::int64_t chunks, A* heads, A* tails, A* result) {
  const auto [chunk, channel] = element();
  if (chunk < chunks && channel < sorted.dim)
    rows::add_chunk(sorted, chunk, channel, result, heads, tails);
}

template <class A>
__global__ void close_runs(const __grid_constant__ rows::SortedRows<A> sorted, std::int64_t chunks,
                           const A* heads, const A* tails, A* result) {
  const auto [chunk, channel] = element();
  if (chunk < chunks && channel < sorted.dim)
    rows::close_run(sorted, chunk, channel, heads, tails, result);
}

}  // namespace

void write_place(std::int64_t seed, std::int64_t rest, std::int64_t* place, cudaStream_t stream) {
  write_words<<<1, 1, 0, stream>>>(seed, rest, place);
}

void dropped_ids(const std::int32_t* ids, std::int64_t rows, rows::PlaceWords place,
                 RandomStream stream_of, std::uint32_t threshold, std::int64_t span,
                 std::int32_t other, std::int32_t* result, cudaStream_t stream) {
  drop_row_ids<<<blocks_for(rows, kThreads), kThreads, 0, stream>>>(ids, rows, place, stream_of,
                                                                    threshold, span, other, result);
}

void pair_ids(const std::int32_t* tokens, const rows::Texts& texts, std::int64_t rows,
              std::int64_t buckets, std::int32_t* result, cudaStream_t stream) {
  find_pairs<<<blocks_for(rows, kThreads), kThreads, 0, stream>>>(tokens, texts, rows, buckets,
                                                                  result);
}

template <class A>
void initial_state(const rows::InitialState<A>& state, A* result, cudaStream_t stream) {
  initial_octets<<<blocks_for(state.rows * rows::octets(state.dim), kThreads), kThreads, 0,
                   stream>>>(state, result);
}

template <class T, class A>
void dropped_elements(const T* x, std::int64_t count, std::int64_t dim, rows::PlaceWords place,
                      RandomStream stream_of, std::uint32_t threshold, A scale, T* result,
                      cudaStream_t stream) {
  drop<<<blocks_for(count * rows::octets(dim), kThreads), kThreads, 0, stream>>>(
      x, count, dim, place, stream_of, threshold, scale, result);
}

template <class A>
void sum_rows(const rows::SortedRows<A>& sorted, A* heads, A* tails, A* result,
              cudaStream_t stream) {
  const std::int64_t chunks = rows::sorted_chunks(sorted.count);
  const dim3 blocks = element_blocks(chunks, sorted.dim);
  add_sorted_chunks<<<blocks, element_threads(), 0, stream>>>(sorted, chunks, heads, tails, result);
  close_runs<<<blocks, element_threads(), 0, stream>>>(sorted, chunks, heads, tails, result);
}

#define DIFFUSE_INSTANTIATE_SUMS(A)                                            \
  template void initial_state(const rows::InitialState<A>&, A*, cudaStream_t); \
  template void sum_rows(const rows::SortedRows<A>&, A*, A*, A*, cudaStream_t)
#define DIFFUSE_INSTANTIATE_ELEMENTS(T, A)                                               \
  template void dropped_elements(const T*, std::int64_t, std::int64_t, rows::PlaceWords, \
                                 RandomStream, std::uint32_t, A, T*, cudaStream_t)

DIFFUSE_INSTANTIATE_SUMS(double);
DIFFUSE_INSTANTIATE_SUMS(float);
DIFFUSE_INSTANTIATE_ELEMENTS(double, double);
DIFFUSE_INSTANTIATE_ELEMENTS(float, float);
DIFFUSE_INSTANTIATE_ELEMENTS(c10::BFloat16, float);
DIFFUSE_INSTANTIATE_ELEMENTS(c10::Half, float);

}  // namespace diffuse::cuda
