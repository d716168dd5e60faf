#include "diffuse/train/kernel_text.hpp"

#include <fmt/core.h>

#include "diffuse/model/model_description.hpp"
#include "diffuse/ops/fused_diffusion.hpp"
#include "diffuse/train/row_adamw.hpp"

namespace diffuse {
namespace {

/// Which rows of the embedding an update works on; nothing of numbers, which have no table.
std::string touched_rows_text(Kernel kernel, const Config& config, Precision precision,
                              bool resumed) {
  if (config.tokenizer.type == TokenizerType::values) return "";
  if (resumed) return "; the embedding's rows as before the resume";
  return updates_touched_rows(config.train, kernel, precision) ? "; touched rows of the embedding"
                                                               : "; all rows of the embedding";
}

}  // namespace

bool wants_deterministic(Kernel kernel, at::Device device) {
  return device.is_cuda() && kernel == Kernel::reference;
}

std::string kernel_text(Kernel kernel, at::Device device, const Config& config, Precision precision,
                        bool resumed) {
  if (config.model.type != ModelType::diffusion) {
    const std::string name = description_of(config).kernel_name(config, kernel, device, precision);
    // The gradient of attention has no form that adds in one order; of a file nothing is known.
    return device.is_cuda() ? name + " (not exact: two runs differ a little)" : name;
  }
  if (config.model.dim == 0) return "none: the n-grams alone";
  const std::string rows = touched_rows_text(kernel, config, precision, resumed);
  if (kernel == Kernel::operations)
    return fmt::format("this program's operations{} ({})", rows,
                       device.is_cuda() ? "the same bytes in each run"
                                        : "results depend a little on the number of threads");
  if (kernel == Kernel::reference)
    return fmt::format("LibTorch's operations{} ({})", rows,
                       device.is_cuda() ? "those that add in one order"
                                        : "results depend a little on the number of threads");
  std::string bf16;
  if (precision == Precision::bf16)
    bf16 = FusedDiffusion::has_bf16_instructions()
               ? " and its bf16 instructions"
               : " (which has no bf16 instructions: fp32 is faster here)";
  return fmt::format("fused, {}{}{} (the same bytes with any number of threads)",
                     FusedDiffusion::instruction_sets(precision == Precision::bf16).front(), bf16,
                     rows);
}

}  // namespace diffuse
