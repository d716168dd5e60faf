// What clipping gradients that are still multiplied by the loss scale does to a training: the
// paper's first notebook did so in float16. A program of its own, because the trainer knows the
// right order alone. The figures are in docs/paper-comparison.md.
//
//   clip_order before|after CONFIG UPDATES EVALUATE_EVERY [KEY=VALUE]...

#include <ATen/ops/zeros.h>
#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "diffuse/config/load.hpp"
#include "diffuse/data/loading.hpp"
#include "diffuse/device/device.hpp"
#include "diffuse/device/precision.hpp"
#include "diffuse/eval/evaluator.hpp"
#include "diffuse/model/model_factory.hpp"
#include "diffuse/train/adamw.hpp"
#include "diffuse/train/gradient_clip.hpp"
#include "diffuse/train/gradient_scaler.hpp"
#include "diffuse/train/loss.hpp"
#include "train/batch_stream.hpp"

namespace diffuse {
namespace {

constexpr double kMaxNorm = 1.0;

/// Divides `gradients` by their clip's divisor. The norm before that.
double clip(const std::vector<at::Tensor>& gradients) {
  const GradientClip found = measure_gradients(gradients, kMaxNorm);
  for (const at::Tensor& gradient : gradients) gradient.div_(found.divisor);
  return found.norm.item<double>();
}

void train(const std::string& order, const Config& config, std::int64_t updates,
           std::int64_t evaluate_every) {
  const at::Device device = resolve_device(config.train.device);
  const int threads = set_thread_count(config.train.threads);
  const TrainingData data =
      load_training_data(config.data, config.tokenizer, config.train.seed, threads);
  const auto classifier = make_classifier(
      config, {data.tokenizer->vocab_size(), data.labels.size(), data.tokenizer->mask_id()},
      config.train.seed);
  classifier->to(device);
  AdamW optimizer(classifier->parameters(), {.beta1 = config.train.beta1,
                                             .beta2 = config.train.beta2,
                                             .epsilon = config.train.epsilon,
                                             .weight_decay = config.train.weight_decay});
  GradientScaler scaler(device);
  BatchStream stream(data.train, config.train);
  at::Generator generator =
      make_generator(device, static_cast<std::uint64_t>(config.train.seed) + 1);
  double loss_sum = 0;
  std::int64_t skipped = 0;
  for (std::int64_t update = 1; update <= updates; ++update) {
    const Batch batch = make_batch(pack_rows(*data.train.data, stream.next().front()), device);
    at::Tensor logits;
    {
      const PrecisionScope scope(Precision::fp16, device);
      logits = classifier->forward(batch, {.training = true, .generator = generator});
    }
    const at::Tensor loss = classification_loss(logits, batch.labels, 0);
    scaler.scale(loss).backward();
    loss_sum += loss.item<double>();
    const std::vector<at::Tensor> gradients = optimizer.gradients();
    double norm = order == "before" ? clip(gradients) : 0;
    const bool finite = scaler.unscale(gradients);
    if (finite) {
      if (order == "after") norm = clip(gradients);
      optimizer.step(config.train.learning_rate);
    }
    skipped += finite ? 0 : 1;
    scaler.update();
    optimizer.clear_gradients();
    if (update % evaluate_every != 0 && update != updates) continue;
    const std::int64_t since = (update - 1) % evaluate_every + 1;
    const Evaluation test = evaluate(*classifier, data.test,
                                     {.class_count = data.labels.size(),
                                      .noise_seed = config.train.seed,
                                      .precision = Precision::fp16});
    fmt::print(
        "{{\"clip\": \"{}\", \"update\": {}, \"loss_mean\": {:.4f}, \"loss_sum\": {:.2f}, "
        "\"test_accuracy\": {:.4f}, \"norm_clipped\": {:.4g}, \"scale\": {:g}, \"skipped\": {}}}\n",
        order, update, loss_sum / static_cast<double>(since), loss_sum, test.metrics.accuracy, norm,
        scaler.current(), skipped);
    std::fflush(stdout);
    loss_sum = 0;
  }
}

int run(const std::vector<std::string>& arguments) {
  if (arguments.size() < 5 || (arguments[1] != "before" && arguments[1] != "after")) {
    fmt::print(stderr,
               "Usage: clip_order before|after CONFIG UPDATES EVALUATE_EVERY [KEY=VALUE]...\n");
    return 2;
  }
  std::vector<std::pair<std::string, std::string>> overrides;
  for (std::size_t i = 5; i < arguments.size(); ++i) {
    const std::size_t equals = arguments[i].find('=');
    overrides.emplace_back(arguments[i].substr(0, equals), arguments[i].substr(equals + 1));
  }
  train(arguments[1], load_config(arguments[2], overrides), std::stoll(arguments[3]),
        std::stoll(arguments[4]));
  return 0;
}

}  // namespace
}  // namespace diffuse

int main(int argc, char** argv) {
  try {
    return diffuse::run(std::vector<std::string>(argv, argv + argc));
  } catch (const std::exception& error) {
    fmt::print(stderr, "error: {}\n", error.what());
    return 1;
  }
}
