#include "divergence_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace diffuse {
namespace {

std::string rows_text(std::span<const std::uint64_t> numbers, const std::string& file) {
  constexpr std::size_t kShown = 8;
  const std::span<const std::uint64_t> shown = numbers.first(std::min(numbers.size(), kShown));
  std::string text =
      fmt::format("Its batch: row{} {}", numbers.size() == 1 ? "" : "s", fmt::join(shown, ", "));
  if (shown.size() < numbers.size())
    text += fmt::format(" and {} more (all in metrics.jsonl)", numbers.size() - shown.size());
  return text + (file.empty() ? "." : fmt::format(" of {}.", file));
}

std::string advice(const Divergence& divergence, const Config& config) {
  std::string text = fmt::format(
      "Lower train.learning_rate ({}), lengthen train.warmup (\"{}\") or set a smaller "
      "train.clip_norm ({}{})",
      config.train.learning_rate, config.train.warmup, config.train.clip_norm,
      config.train.clip_norm == 0 ? ", which is off" : "");
  if (divergence.loss_scale) text += ", or choose train.precision = bf16 or fp32";
  return text + ", in a new run: a resumed one keeps these.";
}

}  // namespace

std::string divergence_text(const Divergence& divergence, const Config& config,
                            std::span<const std::uint64_t> row_numbers,
                            const std::string& last_checkpoint) {
  std::string text = fmt::format(
      "Training diverged at update {}: {} (loss {:.4g}, learning rate {:.3g}, gradient norm "
      "{:.3g}, "
      "last finite one {:.3g}",
      divergence.update, divergence.what, divergence.loss, divergence.learning_rate,
      divergence.gradient_norm, divergence.last_finite_norm);
  if (divergence.loss_scale) text += fmt::format(", loss scale {:g}", *divergence.loss_scale);
  text += ").\n";
  text +=
      rows_text(row_numbers, config.data.train.text()) + "\n" + advice(divergence, config) + "\n";
  text += last_checkpoint.empty() ? std::string("No checkpoint had been written yet.")
                                  : fmt::format("The last good checkpoint is {}.", last_checkpoint);
  return text;
}

}  // namespace diffuse
