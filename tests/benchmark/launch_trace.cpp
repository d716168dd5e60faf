// What the host tells a device in an update, as the trainer makes it: JSON objects, a line each.
//
//   launch_trace DEVICE CONFIG.json...
//
// An update of each configuration by this program's operations, or of a model that these are not
// for by its own; then the same by LibTorch's operations (train.kernel = reference); then what a
// report (train.log_every) adds to an update of the first one.
//
// A training of twice as many updates less one of as many, so that what a training does once, the
// first batches of a shape among it, does not count. `operations` are LibTorch's and ours
// (launch_count.hpp), those in a recording not; on CUDA LibTorch's profiler tells of CUDA's own
// calls besides, and of the kernels that ran.

#include <fmt/core.h>
#include <torch/csrc/autograd/profiler_kineto.h>

#include <cstdio>
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

constexpr std::int64_t kUpdates = 16;    // after so many all rows are brought forward once
constexpr std::int64_t kFewUpdates = 2;  // where there is nothing that not each one does
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

/// Between reports, so that there are none but at the end, which both trainings have.
constexpr std::int64_t kNoReports = 1000 * kUpdates;

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

Config config_of(const std::string& file, const std::string& device_name) {
  Config config = load_config(file, {});
  config.tokenizer.type = TokenizerType::bytes;
  config.ngrams = {};
  config.model.embedding_file.clear();
  config.train.device = device_name;
  config.train.batch_size = kTexts;
  config.train.precision = Precision::fp32;
  config.train.log_every = kNoReports;
  config.train.evaluate_every = "1000000u";
  return config;
}

/// Calls an update.
std::map<std::string, double> counts_of(const Config& config, at::Device device) {
  const std::int64_t updates = config.model.type == ModelType::diffusion ? kUpdates : kFewUpdates;
  Counts once = train_updates(config, updates, device);
  std::map<std::string, double> means;
  for (const auto& [kind, count] : train_updates(config, 2 * updates, device))
    means[kind] = static_cast<double>(count - once[kind]) / static_cast<double>(updates);
  return means;
}

void print(const std::string& file, const Config& config, const char* of,
           const std::map<std::string, double>& means) {
  std::string figures;
  for (const auto& [kind, mean] : means) figures += fmt::format(", \"{}\": {:.2f}", kind, mean);
  fmt::print("{{\"config\": \"{}\", \"device\": \"{}\", \"kernel\": \"{}\", \"of\": \"{}\"{}}}\n",
             std::filesystem::path(file).stem().string(), config.train.device,
             config.train.kernel == Kernel::automatic ? "own" : enum_name(config.train.kernel), of,
             figures);
  std::fflush(stdout);
}

void trace(const std::string& device_name, const std::vector<std::string>& files) {
  const at::Device device = resolve_device(device_name);
  std::map<std::string, std::map<std::string, double>> without_reports;
  const auto is_diffusion = [](const Config& config) {
    return config.model.type == ModelType::diffusion;
  };
  for (const std::string& file : files) {
    Config config = config_of(file, device_name);
    config.train.kernel = is_diffusion(config) ? Kernel::operations : Kernel::automatic;
    print(file, config, "update", without_reports[file] = counts_of(config, device));
  }
  for (const std::string& file : files) {
    Config config = config_of(file, device_name);
    if (!is_diffusion(config)) continue;
    config.train.kernel = Kernel::reference;
    print(file, config, "update", counts_of(config, device));
  }
  // One of them will do: what a report tells is the same for all.
  for (const std::string& file : files) {
    Config config = config_of(file, device_name);
    if (!is_diffusion(config)) continue;
    config.train.kernel = Kernel::operations;
    config.train.log_every = 1;
    std::map<std::string, double> means = counts_of(config, device);
    for (const auto& [kind, mean] : without_reports[file]) means[kind] -= mean;
    print(file, config, "report", means);
    break;
  }
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
    diffuse::trace(argv[1], {argv + 2, argv + argc});
  } catch (const std::exception& error) {
    fmt::print(stderr, "launch_trace: {}\n", error.what());
    return 1;
  }
  return 0;
}
