#include "workload.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/randn.h>

#include <algorithm>
#include <cmath>

#include "diffuse/base/random.hpp"

namespace diffuse {

TextBatch::TextBatch(std::int64_t texts, std::int64_t length, std::int64_t vocabulary,
                     std::uint64_t seed) {
  constexpr std::uint64_t kParts = std::uint64_t{1} << 30;
  Random random(seed);
  rows.resize(static_cast<std::size_t>(texts * length), static_cast<std::size_t>(texts));
  for (std::int32_t& token : rows.tokens()) {
    const double share = static_cast<double>(random.below(kParts)) / static_cast<double>(kParts);
    token = static_cast<std::int32_t>(std::pow(static_cast<double>(vocabulary), share)) - 1;
  }
  for (std::int64_t text = 0; text <= texts; ++text)
    rows.offsets()[static_cast<std::size_t>(text)] = static_cast<std::int32_t>(text * length);
  for (std::int64_t text = 0; text < texts; ++text)
    rows.labels()[static_cast<std::size_t>(text)] = text % 4;
}

Batch TextBatch::batch() const { return make_batch(rows, at::kCPU); }

at::Tensor normal_tensor(at::IntArrayRef shape, double scale) {
  return at::randn(shape, at::detail::createCPUGenerator(1), at::TensorOptions(at::kFloat))
      .mul_(scale);
}

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> all = [] {
    std::vector<Kind> made;
    const auto add = [&](const char* name, const auto& change) {
      ModelConfig config;  // what agnews-diffusion.json has: linear, gelu, a W for each channel,
                           // norm before
      config.token_dropout = config.embedding_dropout = config.head_dropout = 0;
      change(config);
      made.push_back({name, config});
    };
    add("default", [](ModelConfig&) {});
    add("scalar_W", [](ModelConfig& c) { c.weight = WeightKind::scalar; });
    add("full_W", [](ModelConfig& c) { c.weight = WeightKind::full; });
    add("mlp", [](ModelConfig& c) { c.function = FunctionKind::mlp; });
    add("glu", [](ModelConfig& c) { c.function = FunctionKind::glu; });
    add("identity", [](ModelConfig& c) { c.activation = Activation::identity; });
    add("no_norm", [](ModelConfig& c) { c.norm = NormPosition::none; });
    add("norm_after", [](ModelConfig& c) { c.norm = NormPosition::post; });
    add("initial_base", [](ModelConfig& c) { c.base = BaseState::initial; });
    add("radius_5", [](ModelConfig& c) { c.radius = 5; });
    return made;
  }();
  return all;
}

}  // namespace diffuse
