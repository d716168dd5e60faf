#include "diffuse/model/classifier.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <fmt/core.h>

#include <algorithm>

#include "diffuse/base/error.hpp"
#include "diffuse/device/recording.hpp"
#include "diffuse/model/kernel_choice.hpp"

namespace diffuse {
Batch make_batch(std::shared_ptr<const PackedRows> rows, at::Device device) {
  const std::span<const std::byte> bytes = rows->bytes();
  // from_blob asks for a mutable pointer; the tensor made of it is only read.
  const at::Tensor host = at::from_blob(
      const_cast<std::byte*>(bytes.data()), {static_cast<std::int64_t>(bytes.size())},
      [rows](void*) {}, at::TensorOptions(at::kByte));
  at::Tensor memory = host;
  if (!device.is_cpu()) {
    memory = at::empty(host.sizes(), at::TensorOptions(device).dtype(at::kByte));
    upload(memory, [&](std::span<std::byte> to) { std::ranges::copy(bytes, to.begin()); });
  }
  const auto part = [&memory](std::size_t from, std::size_t bytes_of, at::ScalarType type) {
    return memory.narrow(0, static_cast<std::int64_t>(from), static_cast<std::int64_t>(bytes_of))
        .view(type);
  };
  const auto texts = static_cast<std::int64_t>(rows->labels().size());
  at::Tensor weights;
  at::Tensor distributions;
  if (!rows->weights().empty())
    weights = part(rows->weights_at(), rows->weights().size_bytes(), at::kFloat);
  if (!rows->distributions().empty())
    distributions = part(rows->distributions_at(), rows->distributions().size_bytes(), at::kFloat)
                        .view({texts, -1});
  return {.tokens = part(rows->tokens_at(), rows->tokens().size_bytes(), at::kInt),
          .offsets = part(rows->offsets_at(), rows->offsets().size_bytes(), at::kInt),
          .labels = part(0, rows->labels().size_bytes(), at::kLong),
          .weights = weights,
          .distributions = distributions,
          .several = rows->several(),
          .host_offsets = rows->offsets(),
          .host = std::move(rows)};
}

Batch make_batch(PackedRows rows, at::Device device) {
  return make_batch(std::make_shared<const PackedRows>(std::move(rows)), device);
}

void check_offsets(const Batch& batch) {
  const std::span<const std::int32_t> offsets = batch.host_offsets;
  bool good = offsets.size() >= 2 && offsets.front() == 0 &&
              (batch.filled_up ? offsets.back() <= batch.token_count()
                               : offsets.back() == batch.token_count());
  for (std::size_t b = 0; good && b + 1 < offsets.size(); ++b) good = offsets[b] < offsets[b + 1];
  if (!good) {
    throw Error(fmt::format(
        "A batch of {} tokens: its {} offsets must rise from 0 to the number of tokens, each "
        "sequence at least one token long.",
        batch.token_count(), offsets.size()));
  }
}

void Classifier::use_kernel(Kernel kernel, Precision precision) {
  chosen_kernel(kernel, ModelType::torchscript, device(), precision);
}

std::vector<std::vector<std::int32_t>> Classifier::embedding_rows(const Batch& batch) const {
  const std::span<const std::int32_t> tokens = batch.host->tokens();
  return {{tokens.begin(), tokens.end()}};
}

std::int64_t Classifier::work_per_token() const {
  std::int64_t work = 0;
  for (const NamedParameter& parameter : parameters())
    if (parameter.role == ParameterRole::matrix) work += parameter.tensor.numel();
  return work;
}

bool is_pairs(const NamedParameter& parameter) { return parameter.name.ends_with(".bigrams"); }

std::int64_t parameter_count(const Classifier& classifier) {
  std::int64_t count = 0;
  for (const NamedParameter& parameter : classifier.parameters()) count += parameter.tensor.numel();
  return count;
}

}  // namespace diffuse
