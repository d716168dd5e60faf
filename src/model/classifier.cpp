#include "diffuse/model/classifier.hpp"

#include <ATen/ops/from_blob.h>
#include <fmt/core.h>

#include "diffuse/base/error.hpp"
#include "diffuse/model/kernel_choice.hpp"

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

void check_offsets(const Batch& batch) {
  const std::vector<std::int32_t>& offsets = batch.host_offsets;
  bool good = offsets.size() >= 2 && offsets.front() == 0 && offsets.back() == batch.token_count();
  for (std::size_t b = 0; good && b + 1 < offsets.size(); ++b) good = offsets[b] < offsets[b + 1];
  if (!good) {
    throw Error(fmt::format(
        "A batch of {} tokens: its {} offsets must rise from 0 to the number of tokens, each "
        "sequence at least one token long.",
        batch.token_count(), offsets.size()));
  }
}

void Classifier::use_kernel(Kernel kernel, Precision precision) {
  runs_fused(kernel, ModelType::torchscript, device(), precision);
}

std::int64_t Classifier::work_per_token() const {
  std::int64_t work = 0;
  for (const NamedParameter& parameter : parameters())
    if (parameter.role == ParameterRole::matrix) work += parameter.tensor.numel();
  return work;
}

std::int64_t parameter_count(const Classifier& classifier) {
  std::int64_t count = 0;
  for (const NamedParameter& parameter : classifier.parameters()) count += parameter.tensor.numel();
  return count;
}

}  // namespace diffuse
