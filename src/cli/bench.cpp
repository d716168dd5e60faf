#include "bench.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <iterator>

#include "bench_contenders.hpp"
#include "bench_environment.hpp"
#include "bench_texts.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/base/files.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/base/progress.hpp"
#include "diffuse/base/signals.hpp"
#include "diffuse/base/system.hpp"
#include "diffuse/bench/baseline.hpp"
#include "diffuse/bench/comparison_report.hpp"
#include "diffuse/bench/memory_probe.hpp"
#include "diffuse/device/device.hpp"
#include "exit_code.hpp"
#include "output.hpp"

namespace diffuse::cli {
namespace {

// Lengths of --sweep. A model stops where the budget or the memory does.
const std::vector<std::int64_t> kSweepLengths = {64, 128, 256, 512, 1024, 2048, 4096};
const std::vector<std::int64_t> kSweepLong = {8192, 16384, 32768, 65536};  // of one text alone

std::vector<BenchCase> cases_of(const BenchOptions& options) {
  const auto or_else = [](auto given, auto standard) { return given.empty() ? standard : given; };
  const auto modes = or_else(options.modes, std::vector{BenchMode::train, BenchMode::inference});
  const auto batches = or_else(options.batch_sizes, std::vector<std::int64_t>{32});
  auto lengths = or_else(options.seq_lens, std::vector<std::int64_t>{64});
  const bool sweep = options.sweep && options.seq_lens.empty();
  if (sweep) lengths = kSweepLengths;
  if (!options.data.empty() && options.seq_lens.empty()) lengths = {0};
  std::vector<BenchCase> cases;
  for (const std::string& device : or_else(options.devices, std::vector<std::string>{"auto"})) {
    const std::string resolved = resolve_device(device).str();
    for (const std::int64_t threads : or_else(options.threads, std::vector<std::int64_t>{0})) {
      const int count = set_thread_count(threads);
      for (const BenchMode mode : modes) {
        for (const std::int64_t batch : batches) {
          for (const std::int64_t length : lengths)
            cases.push_back({mode, batch, length, resolved, count});
        }
      }
      std::vector<std::int64_t> alone = lengths;
      if (std::find(batches.begin(), batches.end(), 1) != batches.end())
        alone.clear();  // are there
      if (sweep) alone.insert(alone.end(), kSweepLong.begin(), kSweepLong.end());
      for (const BenchMode mode : modes) {
        // The time that one text waits for its answer; and how far each model can go.
        if (!sweep && (mode == BenchMode::train || !options.batch_sizes.empty())) continue;
        for (const std::int64_t length : alone) cases.push_back({mode, 1, length, resolved, count});
      }
    }
  }
  return cases;
}

std::int64_t longest_text(const std::vector<BenchCase>& cases) {
  std::int64_t longest = 0;
  for (const BenchCase& one : cases) longest = std::max(longest, one.seq_len);
  return longest;
}

/// Of the report that `json` holds: all forms are made of it.
std::string report_text(const std::string& json, const std::string& place, BenchFormat format) {
  const Comparison comparison = parse_comparison(json, place);
  switch (format) {
    case BenchFormat::csv:
      return comparison_csv(comparison);
    case BenchFormat::json:
      return comparison_json(comparison) + "\n";
    case BenchFormat::html:
      return comparison_html(comparison);
    case BenchFormat::md:
      break;
  }
  return comparison_markdown(comparison);
}

int write_report(const BenchOptions& options, const std::string& report) {
  if (options.output.empty())
    write_output(report);
  else
    write_file_atomically(options.output, report);
  return kDone;
}

/// The report of --from.
std::string stored_report(const std::string& file) {
  try {
    return read_file(file);
  } catch (const SystemError& error) {
    throw UsageError(
        fmt::format("--from {} Expected a report that --format json wrote.", error.what()));
  }
}

std::string read_stdin() {
  return std::string(std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>());
}

/// A line on a terminal with the time that is left, as far as the cases' share tells it.
class BenchProgress {
 public:
  void show(const std::string& what, double share) {
    const double elapsed = steady_now_s() - start_s_;
    std::string text = fmt::format("{:3.0f} %  {}", 100 * share, what);
    if (share > 0.05)
      text += fmt::format("  ETA {}", format_duration(elapsed / share * (1 - share)));
    line_.update(text);
    if (!line_.visible() && what != last_) log::info("{}", text);
    last_ = what;
  }
  void clear() { line_.clear(); }

 private:
  ProgressLine line_;
  std::string last_;
  double start_s_ = steady_now_s();
};

}  // namespace

int run_bench(const BenchOptions& options) {
  if (options.memory_probe || options.baseline_probe) end_with_parent();
  if (options.memory_probe) {
    write_output(answer_memory_task(read_stdin()) + "\n");
    return kDone;
  }
  if (options.baseline_probe) {
    write_output(answer_baseline_task(read_stdin()) + "\n");
    return kDone;
  }
  check_output_file(options.output);
  if (!options.from.empty()) {
    check_output_apart(options.output, {{"the report of --from", options.from}});
    return write_report(options,
                        report_text(stored_report(options.from), options.from, options.format));
  }
  check_bench_files(options);
  std::vector<NamedInput> inputs = {{"the file of --data", options.data},
                                    {"the model of --checkpoint", options.checkpoint},
                                    {"the file of --config", options.config},
                                    {"the weights of --pretrained", options.pretrained}};
  for (const std::string& name : options.compare) inputs.push_back({"a model of --compare", name});
  check_output_apart(options.output, inputs);
  catch_stop_signals();
  ignore_write_signals();  // a reader of the log that is gone takes no figure along
  const std::vector<BenchCase> cases = cases_of(options);
  std::vector<std::string> warnings = noise_warnings();
  std::vector<OpenedContender> models;
  models.push_back(open_ours(options));
  for (const std::string& name : options.compare)
    models.push_back(open_other(name, options, models.front(), longest_text(cases)));

  BenchPlan plan;
  for (const OpenedContender& opened : models) {
    warnings.insert(warnings.end(), opened.warnings.begin(), opened.warnings.end());
    plan.models.push_back(opened.spec);
  }
  plan.cases = cases;
  plan.precisions = options.precisions;
  plan.budget_s = options.budget_s;
  plan.memory = !options.no_memory;
  BenchTexts texts(options.data, models);
  plan.texts = [&](std::int64_t batch_size) { return texts.workloads(batch_size); };
  BenchProgress progress;
  plan.on_progress = [&](const std::string& what, double share) { progress.show(what, share); };

  Comparison comparison = run_comparison(plan);
  progress.clear();
  for (std::size_t i = 0; i < models.size(); ++i) {
    const std::int64_t count = comparison.models[i].parameter_count;
    comparison.models[i] = models[i].facts;
    comparison.models[i].parameter_count = count;
  }
  comparison.epoch_rows = options.data.empty() ? models.front().train_rows : texts.row_count();
  comparison.text_source = options.data;
  comparison.warnings.insert(comparison.warnings.begin(), warnings.begin(), warnings.end());
  comparison.environment = bench_environment(cases);
  try {
    texts.compare_accuracy(comparison);
  } catch (const Stopped& stopped) {  // what was measured is reported all the same
    comparison.stopped_by = stopped.signal;
    comparison.warnings.emplace_back("stopped before the checkpoints' answers were compared");
  }
  write_report(options, report_text(comparison_json(comparison), "the report", options.format));
  if (comparison.stopped_by != 0) {
    log::warning("Stopped by {}; the report holds {} of {} cases",
                 signal_name(comparison.stopped_by), comparison.cases.size(), cases.size());
    return kSignalBase + comparison.stopped_by;
  }
  return kDone;
}

}  // namespace diffuse::cli
