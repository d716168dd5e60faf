// What the host tells a device in an update, as the trainer makes it: a JSON object a
// configuration.
//
//   launch_trace DEVICE CONFIG.json...
//
// A training of twice as many updates less one of as many, so that what a training does once, the
// first batches of a shape among it, does not count. `operations` are LibTorch's and ours
// (launch_count.hpp), those in a recording not; on CUDA LibTorch's profiler tells of CUDA's own
// calls besides, and of the kernels that ran.

#include <fmt/core.h>
#include <torch/csrc/autograd/profiler_kineto.h>

#include <exception>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "diffuse/base/log.hpp"
#include "diffuse/config/load.hpp"
#include "diffuse/device/device.hpp"
#include "diffuse/model/model_factory.hpp"
#include "diffuse/train/trainer.hpp"
#include "launch_count.hpp"
#include "support/temp_dir.hpp"
#include "train/training_fixture.hpp"

namespace diffuse {
namespace {

constexpr std::int64_t kUpdates = 16;  // after so many all rows are brought forward once
constexpr std::int64_t kTexts = 32;
constexpr std::int64_t kTextTokens = 64;

std::unique_ptr<EncodedDataset> texts_of_one_length() {
  auto data = std::make_unique<EncodedDataset>();
  Random random(1);
  for (std::int64_t row = 0; row < kTexts * kUpdates; ++row) {
    std::vector<std::int32_t> tokens;
    for (std::int64_t i = 0; i < kTextTokens; ++i)
      tokens.push_back(static_cast<std::int32_t>(8 + random.below(256)));
    data->append(tokens, static_cast<std::int32_t>(row % 4), static_cast<std::uint32_t>(row + 1));
  }
  return data;
}

/// What of CUDA's calls each name counts as; the rest does not.
const char* kind_of(const std::string& name) {
  if (name.starts_with("cudaGraphLaunch")) return "graph_launches";
  if (name.starts_with("cudaLaunchKernel") || name.starts_with("cuLaunchKernel"))
    return "kernel_launches";
  if (name.starts_with("cudaMemcpy")) return "copies";
  if (name.starts_with("cudaMemset")) return "memsets";
  if (name.find("Synchronize") != std::string::npos) return "synchronisations";
  return nullptr;
}

using Counts = std::map<std::string, std::int64_t>;

Counts train_updates(Config config, std::int64_t updates, at::Device device) {
  using torch::profiler::impl::ActivityType;
  config.train.length = std::to_string(updates) + "u";
  const TrainingData data =
      testing::training_data(texts_of_one_length(), nullptr, {"a", "b", "c", "d"});
  const auto classifier = make_classifier(config, {256 + 8, 4, 1, 0}, 1);
  const testing::TempDir dir;
  Counts counts;
  const auto run = [&] { train(config, data, *classifier, dir.path()); };
  if (device.is_cpu()) {
    counts["operations"] = count_launches(run);
    return counts;
  }
  const torch::profiler::impl::ProfilerConfig wanted(torch::profiler::impl::ProfilerState::KINETO);
  const std::set<ActivityType> activities = {ActivityType::CPU, ActivityType::CUDA};
  torch::autograd::profiler::prepareProfiler(wanted, activities);
  torch::autograd::profiler::enableProfiler(wanted, activities);
  counts["operations"] = count_launches(run);
  synchronize(device);
  const auto result = torch::autograd::profiler::disableProfiler();
  for (const auto& event : result->events()) {
    if (const char* kind = kind_of(event.name())) ++counts[kind];
    if (event.deviceType() == at::kCUDA) ++counts["on_the_device"];
  }
  return counts;
}

void trace(const std::string& file, const std::string& device_name) {
  Config config = load_config(file, {});
  const at::Device device = resolve_device(device_name);
  config.tokenizer.type = TokenizerType::bytes;
  config.ngrams = {};
  config.model.embedding_file.clear();
  config.train.device = device_name;
  config.train.kernel =
      config.model.type == ModelType::diffusion ? Kernel::operations : Kernel::automatic;
  config.train.batch_size = kTexts;
  config.train.precision = Precision::fp32;
  config.train.log_every = 1000 * kUpdates;
  config.train.evaluate_every = "1000000u";
  Counts once = train_updates(config, kUpdates, device);
  const Counts twice = train_updates(config, 2 * kUpdates, device);
  std::string figures;
  for (const auto& [kind, count] : twice)
    figures += fmt::format(", \"{}\": {:.2f}", kind,
                           static_cast<double>(count - once[kind]) / static_cast<double>(kUpdates));
  fmt::print("{{\"config\": \"{}\", \"device\": \"{}\"{}}}\n",
             std::filesystem::path(file).stem().string(), device_name, figures);
}

}  // namespace
}  // namespace diffuse

int main(int argc, char** argv) {
  if (argc < 3) {
    fmt::print(stderr, "Usage: launch_trace DEVICE CONFIG.json...\n");
    return 2;
  }
  diffuse::log::set_level(diffuse::log::Level::warning);
  try {
    for (int i = 2; i < argc; ++i) diffuse::trace(argv[i], argv[1]);
  } catch (const std::exception& error) {
    fmt::print(stderr, "launch_trace: {}\n", error.what());
    return 1;
  }
  return 0;
}
