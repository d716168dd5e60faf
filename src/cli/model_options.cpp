#include "model_options.hpp"

#include <fmt/core.h>

#include <CLI/CLI.hpp>

#include "choices.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/base/thread_limit.hpp"
#include "diffuse/config/load.hpp"
#include "diffuse/device/device.hpp"
#include "diffuse/device/precision.hpp"
#include "diffuse/model/kernel_choice.hpp"
#include "diffuse/model/model_description.hpp"
#include "run_directory.hpp"

namespace diffuse::cli {

void add_model_options(CLI::App& verb, ModelOptions& options) {
  verb.add_option("--checkpoint", options.checkpoint,
                  "A run directory (its best checkpoint is taken) or one checkpoint")
      ->type_name("DIR")
      ->required();
  verb.add_option("--device", options.device,
                  "auto, cpu, cuda or cuda:N; auto takes a GPU where one can be used")
      ->type_name("NAME")
      ->capture_default_str();
  verb.add_option("--threads", options.threads, "Threads of the CPU; 0 takes all cores")
      ->check(CLI::Range(std::int64_t{0}, kMostThreads))
      ->option_text("N=0");
  verb.add_option("--batch-size", options.batch_size, "Texts in a batch")
      ->check(CLI::Range(1, 65536))
      ->option_text("N=256");
  verb.add_option("--precision", options.precision,
                  "What matrix products are computed in; auto: fp32 on the CPU, bf16 or fp16 on a "
                  "GPU; default: as the model was trained (train.precision)")
      ->transform(one_of<Precision>(precision_choices(true)))
      ->option_text("auto|fp32|tf32|bf16|fp16");
  add_kernel_option(verb, options.kernel);
}

void add_kernel_option(CLI::App& verb, std::optional<Kernel>& kernel) {
  verb.add_option("--kernel", kernel,
                  "Which code runs the diffusion operator: fused, operations (a GPU's), reference "
                  "(LibTorch's operations) or auto; default: as in training (train.kernel)")
      ->transform(one_of<Kernel>({{"auto", Kernel::automatic},
                                  {"fused", Kernel::fused},
                                  {"operations", Kernel::operations},
                                  {"reference", Kernel::reference}}))
      ->option_text("auto|fused|operations|reference");
}

void check_kernel(std::optional<Kernel> kernel, ModelType type, at::Device device,
                  Precision precision) {
  if (kernel != Kernel::fused) return;
  const std::string problem = fused_kernel_problem(type, device, precision);
  if (!problem.empty())
    throw UsageError(
        fmt::format("--kernel fused cannot be had here: {}. Leave it out, or take auto.", problem));
}

std::vector<std::pair<std::string, Precision>> precision_choices(bool with_auto) {
  std::vector<std::pair<std::string, Precision>> choices;
  if (with_auto) choices.emplace_back("auto", Precision::automatic);
  for (const Precision precision :
       {Precision::fp32, Precision::tf32, Precision::bf16, Precision::fp16})
    choices.emplace_back(std::string(enum_name(precision)), precision);
  return choices;
}

OpenedModel open_model(const ModelOptions& options) {
  check_is_one_run(options.checkpoint);
  const at::Device device = resolve_device(options.device);
  const int threads = set_thread_count(options.threads);
  const std::filesystem::path folder = resolve_checkpoint(options.checkpoint);
  OpenedModel opened{folder, load_model(folder), device, threads};
  opened.precision =
      resolve_precision(options.precision.value_or(opened.model.config.train.precision), device,
                        product_width(opened.model.config));
  check_kernel(options.kernel, opened.model.config.model.type, device, opened.precision);
  set_matrix_precision(opened.precision);
  opened.model.classifier->to(device);
  opened.kernel = options.kernel.value_or(opened.model.config.train.kernel);
  opened.model.classifier->use_kernel(opened.kernel, opened.precision);
  log::debug("checkpoint {} on {}", folder.string(), device_description(device));
  return opened;
}

}  // namespace diffuse::cli
