#pragma once

#include <cstdint>
#include <memory>

#include "layout.hpp"

namespace diffuse::cpu {

/// Floats aligned to a cache line; contents are not initialised.
class FloatBuffer {
 public:
  FloatBuffer() = default;
  /// Makes room for `count` floats; what was there is lost where it grows.
  void reserve(std::int64_t count);
  float* data() { return data_.get(); }

 private:
  struct Free {
    void operator()(float* memory) const;
  };
  std::unique_ptr<float[], Free> data_;
  std::int64_t capacity_ = 0;
};

/// A matrix as the reference has it, `[groups · outputs, inputs]`; each group is padded by itself
/// (a glu has two).
struct MatrixShape {
  std::int64_t outputs;  ///< of each group
  std::int64_t inputs;
  std::int64_t output_groups = 1;

  std::int64_t padded_outputs() const { return output_groups * padded(outputs); }
  std::int64_t padded_inputs() const { return padded(inputs); }
  std::int64_t size() const { return padded_outputs() * padded_inputs(); }
  /// A group's rows among the padded ones.
  RowSpan group(std::int64_t index) const {
    const std::int64_t begin = index * padded(outputs);
    return {begin, begin + outputs};
  }
  Panels panels(const float* at) const { return {padded_inputs(), padded_outputs(), at}; }
  Panels transposed_panels(const float* at) const {
    return {padded_outputs(), padded_inputs(), at};
  }
};

/// Panels of x · weightᵀ: depth inputs, width outputs.
Panels pack_panels(const float* weight, const MatrixShape& shape, float* to);
/// Panels of g · weight: depth outputs, width inputs.
Panels pack_transposed(const float* weight, const MatrixShape& shape, float* to);
/// The part of either that some rows of the matrix give: `part` among the padded rows, from a
/// multiple of kUnit to another or to a group's end. `rows` holds these rows alone.
void pack_panel_rows(const float* rows, const MatrixShape& shape, RowSpan part, float* to);
void pack_transposed_rows(const float* rows, const MatrixShape& shape, RowSpan part, float* to);
/// Copies a vector of `groups · count` floats, each group padded.
const float* pack_vector(const float* from, std::int64_t count, float* to, std::int64_t groups = 1);

/// Copies `rows` rows of `width` floats from one stride to another.
void copy_rows(const float* from, std::int64_t from_stride, std::int64_t rows, std::int64_t width,
               float* to, std::int64_t to_stride);

/// Adds a padded gradient `[outputs, inputs]` to one of the reference's layout.
void add_matrix(const float* from, const MatrixShape& shape, float* to);
void add_vector(const float* from, std::int64_t count, float* to, std::int64_t groups = 1);

}  // namespace diffuse::cpu
