#include "recorded_forward.hpp"

#include <ATen/ops/allclose.h>

#include <utility>

namespace diffuse {
namespace {

/// How far an answer may be from another of the same texts. A recording's batch is filled up, and
/// products of another shape add in another order; what is rounded to `precision` behind them then
/// goes up or down by a unit of its last place here and there.
bool are_near(const at::Tensor& found, const at::Tensor& wanted, Precision precision) {
  double relative = 1e-3;
  double absolute = 1e-4;
  if (precision == Precision::tf32 || precision == Precision::fp16) {
    relative = 1e-2;
    absolute = 2e-3;
  } else if (precision == Precision::bf16) {
    relative = 5e-2;
    absolute = 2e-2;
  }
  return at::allclose(found, wanted, relative, absolute, /*equal_nan=*/true);
}

}  // namespace

RecordedForward::RecordedForward(at::Device device, Precision precision, Forward forward,
                                 Record record)
    : device_(device),
      precision_(precision),
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
  if (are_near(found, wanted, precision_)) return found;
  log::warning(
      "{}: an answer that was recorded is another than that of the kernels one by one: they are "
      "launched one by one, which takes longer",
      device_.str());
  recorded_.stop_recording();
  return wanted;
}

}  // namespace diffuse
