#include "recorded_forward.hpp"

#include <ATen/ops/allclose.h>

#include <utility>

namespace diffuse {

RecordedForward::RecordedForward(at::Device device, Forward forward, Record record)
    : device_(device),
      forward_(std::move(forward)),
      recorded_(
          device,
          [this](const StagedBatch&, const Batch& batch) { return Results{forward_(batch)}; },
          std::move(record)) {}

bool RecordedForward::takes(const Batch& batch) {
  constexpr std::int64_t kFewTexts = 8;
  return batch.host != nullptr && !batch.filled_up && batch.size() <= kFewTexts;
}

at::Tensor RecordedForward::logits(const Batch& batch) {
  const at::Tensor found = recorded_.run(batch.host, {}).logits.clone();
  if (!recorded_.has_recorded()) return found;
  at::Tensor wanted = forward_(batch);
  if (at::allclose(found, wanted, 1e-2, 1e-3, /*equal_nan=*/true)) return found;
  log::warning(
      "{}: an answer that was recorded is another than that of the kernels one by one: they are "
      "launched one by one, which takes longer",
      device_.str());
  recorded_.stop_recording();
  return wanted;
}

}  // namespace diffuse
