#include "packing.hpp"

#include <algorithm>
#include <new>

namespace diffuse::cpu {
namespace {

constexpr std::align_val_t kLine{64};

}  // namespace

void FloatBuffer::Free::operator()(float* memory) const { ::operator delete[](memory, kLine); }

void FloatBuffer::reserve(std::int64_t count) {
  if (count <= capacity_) return;
  data_.reset();
  // Batches differ: what grew once will grow again.
  capacity_ = padded(capacity_ == 0 ? count : count + count / 4);
  data_.reset(static_cast<float*>(
      ::operator new[](static_cast<std::size_t>(capacity_) * sizeof(float), kLine)));
}

void pack_panel_rows(const float* rows, const MatrixShape& shape, RowSpan part, float* to) {
  const std::int64_t depth = shape.padded_inputs();
  float* panel = to + part.begin * depth;
  std::fill_n(panel, padded(part.end - part.begin) * depth, 0.0F);
  for (std::int64_t o = 0; o < part.end - part.begin; ++o) {
    float* column = panel + o / kUnit * depth * kUnit + o % kUnit;
    for (std::int64_t i = 0; i < shape.inputs; ++i) column[i * kUnit] = rows[o * shape.inputs + i];
  }
}

void pack_transposed_rows(const float* rows, const MatrixShape& shape, RowSpan part, float* to) {
  const std::int64_t depth = shape.padded_outputs();
  const std::int64_t end = part.begin + padded(part.end - part.begin);
  for (std::int64_t i = 0; i < shape.padded_inputs(); i += kUnit) {
    for (std::int64_t o = part.begin; o < end; ++o) {
      float* place = to + i * depth + o * kUnit;
      const std::int64_t count =
          o < part.end ? std::clamp<std::int64_t>(shape.inputs - i, 0, kUnit) : 0;
      std::copy_n(rows + (o - part.begin) * shape.inputs + i, count, place);
      std::fill_n(place + count, kUnit - count, 0.0F);
    }
  }
}

Panels pack_panels(const float* weight, const MatrixShape& shape, float* to) {
  for (std::int64_t g = 0; g < shape.output_groups; ++g)
    pack_panel_rows(weight + g * shape.outputs * shape.inputs, shape, shape.group(g), to);
  return shape.panels(to);
}

Panels pack_transposed(const float* weight, const MatrixShape& shape, float* to) {
  for (std::int64_t g = 0; g < shape.output_groups; ++g)
    pack_transposed_rows(weight + g * shape.outputs * shape.inputs, shape, shape.group(g), to);
  return shape.transposed_panels(to);
}

const float* pack_vector(const float* from, std::int64_t count, float* to, std::int64_t groups) {
  for (std::int64_t g = 0; g < groups; ++g) {
    float* group = to + g * padded(count);
    std::copy_n(from + g * count, count, group);
    std::fill(group + count, group + padded(count), 0.0F);
  }
  return to;
}

void copy_rows(const float* from, std::int64_t from_stride, std::int64_t rows, std::int64_t width,
               float* to, std::int64_t to_stride) {
  for (std::int64_t i = 0; i < rows; ++i)
    std::copy_n(from + i * from_stride, width, to + i * to_stride);
}

void add_matrix(const float* from, const MatrixShape& shape, float* to) {
  for (std::int64_t g = 0; g < shape.output_groups; ++g)
    for (std::int64_t o = 0; o < shape.outputs; ++o)
      add_vector(from + (g * padded(shape.outputs) + o) * shape.padded_inputs(), shape.inputs,
                 to + (g * shape.outputs + o) * shape.inputs);
}

void add_vector(const float* from, std::int64_t count, float* to, std::int64_t groups) {
  for (std::int64_t g = 0; g < groups; ++g)
    for (std::int64_t c = 0; c < count; ++c) to[g * count + c] += from[g * padded(count) + c];
}

}  // namespace diffuse::cpu
