#include "recording_check.hpp"

#include <ATen/ops/allclose.h>
#include <fmt/core.h>

#include <exception>
#include <map>
#include <string_view>
#include <vector>

#include "diffuse/base/log.hpp"
#include "diffuse/model/diffusion_classifier.hpp"
#include "updater.hpp"

namespace diffuse {
namespace {

/// All that an update may have in it.
Config small_config() {
  Config config;
  config.train.kernel = Kernel::operations;
  config.train.adversarial = 0.1;
  config.train.clip_norm = 0.5;
  config.train.embedding_lr_factor = 0.5;
  config.train.epsilon = 1e-3;  // or a gradient of nearly 0 decides by its sign
  config.model.dim = 8;
  config.model.bigram_buckets = 32;
  config.model.noise_std = 0.2;
  config.model.token_dropout = config.model.bigram_dropout = 0.2;
  config.model.embedding_dropout = config.model.head_dropout = 0.2;
  return config;
}

/// Two texts of `length` tokens each.
Batch two_texts(std::int32_t length) {
  std::vector<std::int32_t> tokens;
  for (std::int32_t i = 0; i < 2 * length; ++i) tokens.push_back(i % 15);
  return make_batch(PackedRows(tokens, std::vector<std::int32_t>{0, length, 2 * length},
                               std::vector<std::int64_t>{0, 1}),
                    at::kCPU);
}

std::vector<at::Tensor> weights_after_updates(at::Device device, const Record& record) {
  const Config config = small_config();
  DiffusionClassifier model(config.model, {.vocab_size = 16, .class_count = 2, .mask_id = 15}, 1);
  model.to(device);
  Updater updater(config.train, Precision::fp32, model, std::optional(record));
  StepClock clock(device, 1 << 20);
  // Of one shape with different numbers, and of another one; replayed from the third on.
  std::int64_t update = 0;
  for (const std::int32_t length : {5, 9, 40, 3, 41, 20, 40}) {
    clock.begin_update();
    ++update;
    updater.apply(
        1, 2, [&](std::size_t) { return two_texts(length); }, update,
        0.05 / static_cast<double>(update), clock);
  }
  updater.settle();
  std::vector<at::Tensor> weights;
  for (const NamedParameter& parameter : model.parameters())
    weights.push_back(parameter.tensor.detach().cpu());
  return weights;
}

}  // namespace

std::string recording_problem(at::Device device, const Record& record) {
  try {
    const std::vector<at::Tensor> found = weights_after_updates(device, record);
    const std::vector<at::Tensor> wanted = weights_after_updates(device, nullptr);
    for (std::size_t i = 0; i < wanted.size(); ++i)
      if (!at::allclose(found[i], wanted[i], 1e-4, 1e-6))
        return "updates that were recorded give other weights than those launched one by one";
  } catch (const std::exception& error) {
    const std::string_view text = error.what();
    return std::string(text.substr(0, text.find('\n')));
  }
  return "";
}

Record recording_that_works(at::Device device) {
  if (device.is_cpu()) return record;
  static std::map<std::string, std::string> problems;
  const auto [problem, is_new] = problems.try_emplace(device.str());
  if (is_new) {
    problem->second = recording_problem(device, record);
    if (!problem->second.empty())
      log::warning("{}: updates are launched kernel by kernel, which takes longer: {}",
                   device.str(), problem->second);
  }
  return problem->second.empty() ? Record(record) : nullptr;
}

}  // namespace diffuse
