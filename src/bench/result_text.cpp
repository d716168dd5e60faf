#include "result_text.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "diffuse/base/progress.hpp"
#include "diffuse/config/load.hpp"

namespace diffuse {
namespace {

/// "84.0 ms", "about 3.1 s (from 16 x 64)".
std::string tried_time_text(const TriedPrecision& tried) {
  if (!tried.call_s) return "failed";
  if (!tried.estimated) return time_text(*tried.call_s);
  return fmt::format("about {} (from {} x {})", time_text(*tried.call_s), tried.texts,
                     tried.tokens);
}

std::string count_text(double value) { return format_count(std::llround(value)); }

bool of_one_kind(const Comparison& comparison) {
  return std::all_of(comparison.cases.begin(), comparison.cases.end(), [&](const CaseResult& c) {
    const BenchCase& first = comparison.cases.front().which;
    return c.which.device == first.device && c.which.threads == first.threads;
  });
}

std::vector<std::string> measured_row(const Comparison& comparison, const CaseResult& result,
                                      const ContenderFacts& facts, const Measurement& m) {
  const std::string name = case_name(result.which, comparison);
  if (!m.ran()) {
    return {name, facts.name,     m.precision,         "", "not run", "", "", "",
            "",   memory_text(m), token_flops_text(m), "", ""};
  }
  const double mean = m.mean_s();
  const auto epoch = epoch_s(m, result, comparison);
  return {name,
          facts.name,
          m.precision,
          m.kernel,
          time_text(m.median_s()),
          fmt::format("{} ± {}", time_text(mean), time_text(m.deviation_s())),
          time_text(m.p95_s()),
          count_text(m.tokens_a_call / mean),
          count_text(m.examples_a_call / mean),
          memory_text(m),
          token_flops_text(m),
          flops_text(m),
          epoch ? format_duration(*epoch) : ""};
}

}  // namespace

std::string case_name(const BenchCase& which) {
  return fmt::format("{} {} x {}", bench_mode_name(which.mode), which.batch_size,
                     which.seq_len == 0 ? std::string("text") : std::to_string(which.seq_len));
}

std::string case_name(const BenchCase& which, const Comparison& comparison) {
  if (of_one_kind(comparison)) return case_name(which);
  return fmt::format("{}, {}, {}", case_name(which), which.device, threads_text(which.threads));
}

std::string threads_text(int threads) {
  return fmt::format("{} thread{}", threads, threads == 1 ? "" : "s");
}

std::string time_text(double seconds) {
  const auto digits = [](double value) { return value < 9.995 ? 2 : value < 99.95 ? 1 : 0; };
  if (seconds < 1e-3) return fmt::format("{:.{}f} µs", seconds * 1e6, digits(seconds * 1e6));
  if (seconds < 1) return fmt::format("{:.{}f} ms", seconds * 1e3, digits(seconds * 1e3));
  return fmt::format("{:.{}f} s", seconds, digits(seconds));
}

std::string memory_text(const Measurement& measurement) {
  if (!measurement.memory) return "";
  const MemoryFigures& memory = *measurement.memory;
  if (!memory.out_of_memory.empty()) return "out of memory";
  std::string text = format_bytes(static_cast<double>(memory.peak_bytes()));
  if (memory.reserved_bytes > 0)
    text += fmt::format(" ({} reserved)", format_bytes(static_cast<double>(memory.reserved_bytes)));
  return text;
}

std::optional<double> epoch_s(const Measurement& measurement, const CaseResult& result,
                              const Comparison& comparison) {
  if (!measurement.ran() || comparison.epoch_rows == 0 || result.which.mode != BenchMode::train)
    return std::nullopt;
  return measurement.mean_s() / measurement.examples_a_call *
         static_cast<double>(comparison.epoch_rows);
}

std::string ratio_text(const std::optional<Ratio>& ratio) {
  if (!ratio) return "";
  const int digits = ratio->value < 9.995 ? 2 : ratio->value < 99.95 ? 1 : 0;
  return fmt::format("{:.{}f} ± {:.{}f}", ratio->value, digits, ratio->deviation, digits);
}

std::string ratio_text(const std::optional<double>& ratio) {
  return ratio ? fmt::format("{:.1f}", *ratio) : "";
}

std::string flops_text(const Measurement& measurement) {
  if (!measurement.ran() || !measurement.flops_a_call) return "";
  const double rate = *measurement.flops_a_call / measurement.mean_s();
  return rate < 1e12 ? fmt::format("{:.3g} G", rate / 1e9) : fmt::format("{:.3g} T", rate / 1e12);
}

std::optional<double> token_flops(const Measurement& measurement) {
  if (!measurement.flops_a_call || measurement.tokens_a_call <= 0) return std::nullopt;
  return *measurement.flops_a_call / measurement.tokens_a_call;
}

std::string token_flops_text(const Measurement& measurement) {
  const auto flops = token_flops(measurement);
  return flops ? fmt::format("{:.3g} M", *flops / 1e6) : "";
}

Cells model_cells(const Comparison& comparison) {
  Cells cells = {{"model", "kind", "weights", "parameters"}};
  for (const ContenderFacts& facts : comparison.models)
    cells.push_back({facts.name, facts.kind, facts.weights, format_count(facts.parameter_count)});
  return cells;
}

Cells measurement_cells(const Comparison& comparison) {
  Cells cells = {{"case", "model", "precision", "kernel", "median", "mean ± σ", "p95", "tokens/s",
                  "examples/s", "peak memory", "FLOPs a token", "FLOP/s",
                  fmt::format("epoch of {} rows", format_count(comparison.epoch_rows)),
                  "why not run"}};
  bool refused = false;
  const auto add = [&](const CaseResult& result, const ContenderFacts& facts,
                       const Measurement& m) {
    std::vector<std::string> row = measured_row(comparison, result, facts, m);
    row.push_back(m.not_run);
    refused = refused || !m.not_run.empty();
    cells.push_back(std::move(row));
  };
  for (const CaseResult& result : comparison.cases) {
    for (std::size_t i = 0; i < result.models.size(); ++i) {
      for (const Measurement& m : result.models[i].measurements)
        add(result, comparison.models[i], m);
    }
  }
  // Columns that would stay empty.
  for (std::vector<std::string>& row : cells) {
    if (!refused) row.pop_back();
    if (comparison.epoch_rows == 0) row.erase(row.begin() + 12);
  }
  return cells;
}

Cells ratio_cells(const Comparison& comparison) {
  Cells cells = {
      {"case", "model", fmt::format("time / {}", comparison.models.front().name), "peak memory"}};
  for (const CaseResult& result : comparison.cases) {
    for (std::size_t i = 1; i < result.models.size(); ++i) {
      const auto time = time_ratio(result.models.front(), result.models[i]);
      const auto memory = memory_ratio(result.models.front(), result.models[i]);
      if (!time && !memory) continue;
      cells.push_back({case_name(result.which, comparison), comparison.models[i].name,
                       ratio_text(time), ratio_text(memory)});
    }
  }
  return cells;
}

std::string tried_text(const std::vector<TriedPrecision>& tried) {
  std::string text;
  for (const TriedPrecision& one : tried) {
    if (!text.empty()) text += "; ";
    text += fmt::format("{} {}", enum_name(one.precision), tried_time_text(one));
  }
  return text;
}

Cells tried_cells(const Comparison& comparison) {
  constexpr std::array kPrecisions = {Precision::fp32, Precision::tf32, Precision::bf16,
                                      Precision::fp16};
  Cells cells = {{"precision tried", "model", "fp32", "tf32", "bf16", "fp16"}};
  const auto add = [&](const CaseResult& result, const ContenderFacts& facts,
                       const ModelResult& model) {
    const auto& [measured, tried] = model;
    if (tried.empty()) return;
    std::vector<std::string> row = {
        case_name(result.which, comparison), facts.name, "", "", "", ""};
    for (const TriedPrecision& one : tried) {
      const auto column = std::find(kPrecisions.begin(), kPrecisions.end(), one.precision);
      std::string& cell = row.at(static_cast<std::size_t>(column - kPrecisions.begin()) + 2);
      cell = tried_time_text(one);
      const bool chosen =
          tried.size() > measured.size() && measured.front().precision == enum_name(one.precision);
      if (chosen) cell += " (chosen)";
    }
    cells.push_back(std::move(row));
  };
  for (const CaseResult& result : comparison.cases) {
    for (std::size_t i = 0; i < result.models.size(); ++i)
      add(result, comparison.models[i], result.models[i]);
  }
  // Precisions that were not tried.
  for (std::size_t column = cells.front().size() - 1; column >= 2; --column) {
    const bool used = std::any_of(cells.begin() + 1, cells.end(),
                                  [&](const auto& row) { return !row[column].empty(); });
    if (used) continue;
    for (std::vector<std::string>& row : cells)
      row.erase(row.begin() + static_cast<std::ptrdiff_t>(column));
  }
  return cells;
}

std::string comparison_title(const Comparison& comparison) {
  const std::string& ours = comparison.models.front().name;
  if (comparison.models.size() == 2)
    return fmt::format("{} against {}", ours, comparison.models.back().name);
  return fmt::format("{} against {} models", ours, comparison.models.size() - 1);
}

std::vector<std::string> accuracy_lines(const Comparison& comparison) {
  std::vector<std::string> lines;
  for (const ContenderFacts& facts : comparison.models) {
    if (facts.accuracy) lines.push_back("Accuracy " + paired_line(*facts.accuracy, facts.name));
  }
  return lines;
}

std::vector<std::string> remarks(const Comparison& comparison) {
  std::vector<std::string> all = comparison.warnings;
  std::string random;
  for (const ContenderFacts& facts : comparison.models) {
    if (facts.weights == "random") random += (random.empty() ? "" : ", ") + facts.name;
    if (facts.extended_positions)
      all.push_back(facts.name +
                    " was given more positions than the model has been made for: such lengths "
                    "measure speed and memory only");
  }
  if (!random.empty())
    all.push_back("random weights: speed and memory only, no accuracy: " + random);
  return all;
}

}  // namespace diffuse
