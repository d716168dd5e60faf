#include "diffuse/model/classifier.hpp"

#include <ATen/ops/from_blob.h>

namespace diffuse {
namespace {

template <class T>
at::Tensor copied(const std::vector<T>& values, at::ScalarType dtype, at::Device device) {
  // from_blob asks for a mutable pointer; the tensor made of it is only read.
  const at::Tensor view = at::from_blob(const_cast<T*>(values.data()),
                                        {static_cast<std::int64_t>(values.size())}, dtype);
  return view.to(device, dtype, /*non_blocking=*/false, /*copy=*/true);
}

}  // namespace

Batch make_batch(const PackedRows& rows, at::Device device) {
  return {copied(rows.tokens, at::kInt, device), copied(rows.offsets, at::kInt, device),
          copied(rows.labels, at::kLong, device), rows.offsets};
}

std::int64_t parameter_count(const Classifier& classifier) {
  std::int64_t count = 0;
  for (const NamedParameter& parameter : classifier.parameters()) count += parameter.tensor.numel();
  return count;
}

}  // namespace diffuse
