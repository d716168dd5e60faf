#include "diffuse/model/staged_batch.hpp"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "diffuse/device/recording.hpp"

namespace diffuse {
namespace {

/// Two words of 64 bits and two numbers.
constexpr std::int64_t kPlaceBytes = 2 * sizeof(std::int64_t);
constexpr std::int64_t kNumberBytes = 2 * sizeof(float);

template <class T>
std::int64_t bytes_of(std::int64_t count) {
  return count * static_cast<std::int64_t>(sizeof(T));
}

/// Writes `values` from `at` on.
template <class T>
void write(std::span<std::byte> memory, std::int64_t at, std::span<const T> values) {
  if (!values.empty()) std::memcpy(memory.data() + at, values.data(), values.size_bytes());
}

}  // namespace

StagedBatch::Shape StagedBatch::shape_of(const PackedRows& rows) {
  const auto count = static_cast<std::int64_t>(rows.tokens().size());
  const auto texts = static_cast<std::int64_t>(rows.labels().size());
  std::int64_t step = 64;
  while (step * 16 <= count) step *= 2;
  return {.rows = (count / step + 1) * step,  // one row at least that fills up
          .texts = texts,
          .classes = static_cast<std::int64_t>(rows.distributions().size()) / texts,
          .weights = !rows.weights().empty(),
          .several = rows.several()};
}

StagedBatch::Layout::Layout(const Shape& shape)
    : numbers(kPlaceBytes),
      clock(numbers + kNumberBytes),
      labels(clock + bytes_of<AdamWClock>(1)),
      offsets(labels + bytes_of<std::int64_t>(shape.texts)),
      tokens(offsets + bytes_of<std::int32_t>(shape.texts + 2)),
      weights(tokens + bytes_of<std::int32_t>(shape.rows)),
      distributions(weights + (shape.weights ? bytes_of<float>(shape.texts) : 0)),
      end(distributions + bytes_of<float>(shape.texts * shape.classes)) {}

StagedBatch::StagedBatch(const Shape& shape, at::Device device)
    : shape_(shape),
      layout_(shape),
      memory_(at::empty({layout_.end}, at::TensorOptions(device).dtype(at::kByte))) {}

void StagedBatch::load(const PackedRows& rows, const StagedNumbers& numbers) {
  upload(memory_, [&](std::span<std::byte> to) {
    const auto rest = std::uint64_t{numbers.place.batch} << 32 | numbers.place.update;
    const std::uint64_t place[] = {numbers.place.seed, rest};
    const float scalars[] = {static_cast<float>(numbers.learning_rate),
                             static_cast<float>(numbers.share)};
    write<std::uint64_t>(to, 0, place);
    write<float>(to, layout_.numbers, scalars);
    write<AdamWClock>(to, layout_.clock, {&numbers.clock, 1});
    write(to, layout_.labels, rows.labels());
    write(to, layout_.offsets, rows.offsets());
    const auto end = static_cast<std::int32_t>(shape_.rows);
    write<std::int32_t>(to, layout_.tokens - bytes_of<std::int32_t>(1), {&end, 1});
    write(to, layout_.tokens, rows.tokens());
    const std::int64_t written =
        layout_.tokens + static_cast<std::int64_t>(rows.tokens().size_bytes());
    std::fill_n(to.begin() + written, layout_.weights - written, std::byte{0});
    write(to, layout_.weights, rows.weights());
    write(to, layout_.distributions, rows.distributions());
  });
}

at::Tensor StagedBatch::part(std::int64_t from, std::int64_t to, at::ScalarType type) const {
  return memory_.narrow(0, from, to - from).view(type);
}

Batch StagedBatch::batch(std::shared_ptr<const PackedRows> host) const {
  Batch batch{.tokens = part(layout_.tokens, layout_.weights, at::kInt),
              .offsets = part(layout_.offsets, layout_.tokens, at::kInt),
              .labels = part(layout_.labels, layout_.offsets, at::kLong),
              .several = shape_.several,
              .filled_up = true,
              .host_offsets = host->offsets()};
  if (shape_.weights) batch.weights = part(layout_.weights, layout_.distributions, at::kFloat);
  if (shape_.classes > 0)
    batch.distributions =
        part(layout_.distributions, layout_.end, at::kFloat).view({shape_.texts, shape_.classes});
  batch.host = std::move(host);
  return batch;
}

at::Tensor StagedBatch::place() const { return part(0, layout_.numbers, at::kLong); }

at::Tensor StagedBatch::learning_rate() const {
  return part(layout_.numbers, layout_.numbers + bytes_of<float>(1), at::kFloat).squeeze(0);
}

at::Tensor StagedBatch::share() const {
  return part(layout_.numbers + bytes_of<float>(1), layout_.clock, at::kFloat).squeeze(0);
}

at::Tensor StagedBatch::clock() const { return part(layout_.clock, layout_.labels, at::kInt); }

}  // namespace diffuse
