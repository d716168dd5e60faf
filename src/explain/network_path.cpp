#include "network_path.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/add.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/sub.h>

#include <algorithm>
#include <array>
#include <utility>

#include "diffuse/data/packed_rows.hpp"
#include "diffuse/device/device.hpp"

namespace diffuse {
namespace {

// More rows at a time are no faster and take memory.
constexpr std::size_t kMostRows = 16384;
// With less to do, waking other threads takes longer.
constexpr std::int64_t kRowsOfOneThread = 4096;

at::Tensor on_device(const void* values, std::int64_t count, at::ScalarType type,
                     at::Device device) {
  return at::from_blob(const_cast<void*>(values), {count}, at::TensorOptions(type)).to(device);
}

}  // namespace

NetworkPath::NetworkPath(Classifier& classifier, std::span<const std::int32_t> tokens,
                         std::optional<std::int32_t> baseline, std::int32_t label, double factor)
    : classifier_(classifier),
      tokens_(tokens.begin(), tokens.end()),
      label_(label),
      factor_(factor) {
  const at::NoGradGuard no_grad;
  const std::vector<std::vector<std::int32_t>> rows = classifier.embedding_rows(copies(1));
  for (const NamedParameter& parameter : classifier.parameters()) {
    if (parameter.role != ParameterRole::embedding) continue;
    const std::vector<std::int32_t>& ids = rows.at(moves_.size());
    at::Tensor move = at::index_select(
        parameter.tensor, 0, on_device(ids.data(), std::ssize(ids), at::kInt, classifier.device()));
    if (moves_.empty() && baseline) move = at::sub(move, parameter.tensor.select(0, *baseline));
    moves_.push_back(move);
    move_ = move_.defined() ? at::add(move_, move) : move;
  }
}

Batch NetworkPath::copies(std::size_t count) const {
  PackedRows rows;
  rows.resize(count * tokens_.size(), count);
  for (std::size_t i = 0; i < count; ++i) {
    std::copy(tokens_.begin(), tokens_.end(),
              rows.tokens().begin() + static_cast<std::ptrdiff_t>(i * tokens_.size()));
    rows.offsets()[i + 1] = static_cast<std::int32_t>((i + 1) * tokens_.size());
  }
  rows.offsets()[0] = 0;
  std::ranges::fill(rows.labels(), 0);
  return make_batch(std::move(rows), classifier_.device());
}

void NetworkPath::add_points(std::span<const double> places, std::vector<PathPoint>& points) const {
  const auto count = std::ssize(places);
  const auto length = std::ssize(tokens_);
  const OneThreadScope one(count * length <= kRowsOfOneThread);
  std::vector<float> back;  // from the text
  for (const double place : places) back.push_back(static_cast<float>(place - 1));
  EmbeddingAccess access;
  access.noise = false;
  access.step =
      at::mul(on_device(back.data(), count, at::kFloat, classifier_.device()).view({count, 1, 1}),
              move_)
          .view({count * length, -1});
  ForwardContext context;
  context.embeddings = &access;
  const at::AutoGradMode with_gradients(true);
  const at::Tensor values =
      classifier_.forward(copies(places.size()), context).select(1, label_).mul(factor_);
  const std::array<at::Tensor, 1> inputs = {access.sum};
  values.sum().backward({}, std::nullopt, false, at::TensorList(inputs));
  const at::NoGradGuard no_gradients;
  const at::Tensor gradient = access.sum.grad().view({count, length, -1});
  const at::Tensor host_values = values.detach().to(at::kCPU, at::kDouble).contiguous();
  const std::size_t first = points.size();
  for (std::int64_t i = 0; i < count; ++i)
    points.push_back({host_values.const_data_ptr<double>()[i], {}});
  for (const at::Tensor& move : moves_) {
    const at::Tensor slopes =
        at::mul(gradient, move).sum(-1).to(at::kCPU, at::kDouble).contiguous();
    for (std::int64_t i = 0; i < count; ++i) {
      const double* const own = slopes.const_data_ptr<double>() + i * length;
      std::vector<double>& to = points[first + static_cast<std::size_t>(i)].slopes;
      to.insert(to.end(), own, own + length);
    }
  }
}

std::vector<PathPoint> NetworkPath::operator()(std::span<const double> places) const {
  const std::size_t at_a_time = std::max<std::size_t>(kMostRows / tokens_.size(), 1);
  std::vector<PathPoint> points;
  for (std::size_t begin = 0; begin < places.size(); begin += at_a_time)
    add_points(places.subspan(begin, std::min(at_a_time, places.size() - begin)), points);
  return points;
}

}  // namespace diffuse
