#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "diffuse/base/error.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/base/progress.hpp"
#include "diffuse/base/signals.hpp"
#include "diffuse/base/system.hpp"
#include "diffuse/bench/comparison.hpp"
#include "diffuse/bench/flops.hpp"
#include "diffuse/bench/memory_probe.hpp"
#include "diffuse/config/load.hpp"
#include "diffuse/device/device.hpp"
#include "diffuse/device/precision.hpp"
#include "diffuse/train/memory_estimate.hpp"
#include "pace.hpp"

namespace diffuse {
namespace {

using Side = Pace::Side;

// A batch large enough to tell how fast a precision is.
constexpr std::int64_t kTrialTexts = 16;
constexpr std::int64_t kTrialTokens = 64;
constexpr double kNoisyShare = 0.1;  // deviation of a sample over its mean

/// One contender and what a case asks of it.
struct Task {
  Side side = Side::ours;
  const ContenderSpec* spec = nullptr;
  Contender* contender = nullptr;
  Workload workload;
  std::vector<Batch> batches;  // of the workload, on the device
  std::size_t next_batch = 0;

  void call() { contender->run(batches[next_batch++ % batches.size()]); }
};

std::optional<double> flops_of(const Task& task, BenchMode mode) {
  double sum = 0;
  for (std::size_t i = 0; i < task.workload.batches.size(); ++i) {
    const auto flops =
        forward_flops(task.spec->config, task.spec->shape.class_count, task.workload.lengths(i));
    if (!flops) return std::nullopt;
    sum += *flops;
  }
  const double forward = sum / static_cast<double>(task.workload.batches.size());
  return mode == BenchMode::train ? 3 * forward : forward;
}

std::string case_text(const BenchCase& which) {
  const std::string length = which.seq_len == 0 ? "texts" : fmt::format("{} tokens", which.seq_len);
  return fmt::format("{} {} x {}", bench_mode_name(which.mode), which.batch_size, length);
}

class Runner {
 public:
  explicit Runner(const BenchPlan& plan) : plan_(plan) {}

  Comparison run() {
    const double start = steady_now_s();
    try {
      for (std::size_t i = 0; i < plan_.cases.size(); ++i) {
        done_ = static_cast<double>(i);
        run_case(plan_.cases[i]);
      }
    } catch (const Stopped& stopped) {
      comparison_.stopped_by = stopped.signal;
      comparison_.warnings.push_back(fmt::format("stopped after {} of {} cases",
                                                 comparison_.cases.size(), plan_.cases.size()));
    }
    comparison_.elapsed_s = steady_now_s() - start;
    return std::move(comparison_);
  }

 private:
  void progress(const std::string& what, double part) {
    if (plan_.check_stop) plan_.check_stop();
    if (plan_.on_progress)
      plan_.on_progress(what, (done_ + part) / static_cast<double>(plan_.cases.size()));
  }

  /// Models stay for all cases of a device.
  void open_contenders(const std::string& name) {
    if (ours_ && name == device_name_) return;
    progress("making the models", 0);
    const at::Device device = resolve_device(name);
    device_name_ = name;
    ours_ = std::make_unique<Contender>(plan_.ours, device);
    other_ = std::make_unique<Contender>(plan_.other, device);
    comparison_.ours.parameter_count = ours_->parameter_count();
    comparison_.other.parameter_count = other_->parameter_count();
  }

  Task make_task(Side side, Workload workload) {
    Task task;
    task.side = side;
    task.spec = side == Side::ours ? &plan_.ours : &plan_.other;
    task.contender = side == Side::ours ? ours_.get() : other_.get();
    task.workload = std::move(workload);
    for (const PackedRows& rows : task.workload.batches)
      task.batches.push_back(make_batch(rows, task.contender->device()));
    return task;
  }

  Pace::Key key_of(const Task& task, const BenchCase& which, Precision precision) const {
    return {task.side, which.mode, precision, which.device, which.threads};
  }

  /// Learns the pace of a precision from a few calls on `texts` texts of `tokens` tokens, which are
  /// its first warm-up too; of a slow one from a single call.
  void try_out(const Task& like, const BenchCase& which, Precision precision, std::int64_t texts,
               std::int64_t tokens) {
    constexpr double kSlow_s = 1;
    // No longer than what is to be measured, which may be all that the model takes.
    if (which.seq_len > 0) tokens = std::min(tokens, which.seq_len);
    if (like.spec->config.model.type == ModelType::distilbert)
      tokens = std::min(tokens, like.spec->config.distilbert.max_positions);
    constexpr int kMostCalls = 4;
    Task task = make_task(like.side, synthetic_workload(like.spec->shape, texts, tokens, 1));
    progress(fmt::format("trying {} in {}", like.spec->name, enum_name(precision)), 0);
    task.contender->prepare(which.mode, precision);
    double best_s = 0;
    for (int call = 0; call < kMostCalls; ++call) {
      const double before = steady_now_s();
      task.call();
      const double call_s = steady_now_s() - before;
      best_s = call == 0 ? call_s : std::min(best_s, call_s);
      if (call_s > kSlow_s) break;
    }
    pace_.note(key_of(like, which, precision),
               work_units(flops_of(task, which.mode), task.workload.tokens_a_batch()), best_s);
  }

  /// The precisions of one side: what was asked for, or the one that a small case is faster in.
  std::vector<Precision> precisions_of(const Task& task, const BenchCase& which) {
    const at::Device device = task.contender->device();
    std::vector<Precision> candidates;
    for (const Precision wanted : plan_.precisions)
      candidates.push_back(resolve_precision(wanted, device));
    if (candidates.empty())
      candidates = {Precision::fp32, device.is_cuda()
                                         ? resolve_precision(Precision::automatic, device)
                                         : Precision::bf16};
    if (!plan_.precisions.empty()) {
      for (const Precision precision : candidates) learn_pace(task, which, precision);
      return candidates;
    }
    // Once for all lengths: a pace learned from another case would be no fair comparison.
    const auto known = faster_.find(key_of(task, which, Precision::automatic));
    if (known != faster_.end()) return {known->second};
    const Precision chosen = faster_precision(task, which, candidates);
    learn_pace(task, which, chosen);
    faster_[key_of(task, which, Precision::automatic)] = chosen;
    return {chosen};
  }

  void learn_pace(const Task& task, const BenchCase& which, Precision precision) {
    if (tried_.insert(key_of(task, which, precision)).second)
      try_out(task, which, precision, kTrialTexts, kTrialTokens);
  }

  Precision faster_precision(const Task& task, const BenchCase& which,
                             const std::vector<Precision>& candidates) {
    // Of a fast model so small a batch times the calls' overhead more than the work.
    constexpr double kFast_s = 0.5;
    const double units = work_units(flops_of(task, which.mode), task.workload.tokens_a_batch());
    for (const Precision candidate : candidates) {
      try_out(task, which, candidate, 2, 32);
      if (pace_.expected_s(key_of(task, which, candidate), units) < kFast_s)
        learn_pace(task, which, candidate);
    }
    return *std::min_element(candidates.begin(), candidates.end(), [&](Precision a, Precision b) {
      return pace_.expected_s(key_of(task, which, a), 1) <
             pace_.expected_s(key_of(task, which, b), 1);
    });
  }

  /// What attention keeps for backward on a CPU: scores, their softmax and dropout, for each pair
  /// of tokens (measured: 4 GB more than without for 32 texts of 512, 14 GB for one of 4,096).
  static std::int64_t attention_bytes(const Task& task) {
    constexpr double kBytesAPair = 2.5 * sizeof(float);
    const DistilBertConfig& model = task.spec->config.distilbert;
    if (task.spec->config.model.type != ModelType::distilbert) return 0;
    double pairs = 0;
    for (std::size_t i = 0; i < task.workload.batches.size(); ++i) {
      const std::vector<std::int64_t> lengths = task.workload.lengths(i);
      const auto longest = static_cast<double>(*std::max_element(lengths.begin(), lengths.end()));
      pairs = std::max(pairs, static_cast<double>(lengths.size()) * longest * longest);
    }
    return static_cast<std::int64_t>(static_cast<double>(model.layers * model.heads) * pairs *
                                     kBytesAPair);
  }

  std::int64_t expected_bytes(const Task& task, const BenchCase& which, Precision precision) const {
    const MemoryEstimate estimate =
        estimate_memory(task.spec->config, precision, task.contender->parameter_count(),
                        task.workload.largest_batch_tokens());
    // Inference frees each layer's rows: two layers' worth are alive at a time.
    return which.mode == BenchMode::train ? estimate.total() + attention_bytes(task)
                                          : estimate.weights + estimate.activations / 4;
  }

  /// Why the case should not be run; empty where it can.
  std::string refusal(const Task& task, const BenchCase& which, Precision precision) {
    const Config& config = task.spec->config;
    if (config.model.type == ModelType::distilbert &&
        which.seq_len > config.distilbert.max_positions)
      return fmt::format("longer than its {} positions", config.distilbert.max_positions);
    const double units = work_units(flops_of(task, which.mode), task.workload.tokens_a_batch());
    const double call_s = pace_.expected_s(key_of(task, which, precision), units);
    const double needed_s = expected_time_s(plan_.timing, call_s);
    if (needed_s > plan_.budget_s)
      return fmt::format("about {} a call, {} in all, beyond --budget {:g}",
                         format_duration(call_s), format_duration(needed_s), plan_.budget_s);
    const std::int64_t bytes = expected_bytes(task, which, precision);
    if (task.contender->device().is_cpu() && bytes > available_memory_bytes())
      return fmt::format("about {}, but {} of memory are free",
                         format_bytes(static_cast<double>(bytes)),
                         format_bytes(static_cast<double>(available_memory_bytes())));
    return "";
  }

  Measurement start_measurement(const Task& task, const BenchCase& which, Precision precision) {
    Measurement measurement;
    measurement.precision = std::string(enum_name(precision));
    measurement.tokens_a_call = task.workload.tokens_a_batch();
    measurement.examples_a_call = task.workload.examples_a_batch();
    measurement.flops_a_call = flops_of(task, which.mode);
    measurement.not_run = refusal(task, which, precision);
    return measurement;
  }

  void run_case(const BenchCase& which) {
    set_thread_count(which.threads);
    open_contenders(which.device);
    auto [ours_work, other_work] = workloads(which);
    Task ours = make_task(Side::ours, std::move(ours_work));
    Task other = make_task(Side::other, std::move(other_work));
    const std::vector<Precision> ours_in = precisions_of(ours, which);
    const std::vector<Precision> other_in = precisions_of(other, which);
    CaseResult result{.which = which, .ours = {}, .other = {}};
    for (std::size_t i = 0; i < std::max(ours_in.size(), other_in.size()); ++i) {
      const Precision a = ours_in[std::min(i, ours_in.size() - 1)];
      const Precision b = other_in[std::min(i, other_in.size() - 1)];
      result.ours.push_back(start_measurement(ours, which, a));
      result.other.push_back(start_measurement(other, which, b));
      time_pair(ours, a, result.ours.back(), other, b, result.other.back(), which);
      if (!plan_.memory) continue;
      measure_memory(ours, which, a, result.ours.back());
      measure_memory(other, which, b, result.other.back());
    }
    ours_->prepare(BenchMode::inference, Precision::fp32);  // an optimizer is not needed any more
    other_->prepare(BenchMode::inference, Precision::fp32);
    comparison_.cases.push_back(std::move(result));
  }

  std::pair<Workload, Workload> workloads(const BenchCase& which) const {
    if (which.seq_len == 0) return plan_.texts(which.batch_size);
    return {synthetic_workload(plan_.ours.shape, which.batch_size, which.seq_len, 1),
            synthetic_workload(plan_.other.shape, which.batch_size, which.seq_len, 2)};
  }

  /// Times whichever of the two can be run, taking turns where both can.
  void time_pair(Task& ours, Precision a, Measurement& of_ours, Task& other, Precision b,
                 Measurement& of_other, const BenchCase& which) {
    struct Runnable {
      Task* task;
      Precision precision;
      Measurement* measurement;
    };
    std::vector<Runnable> runnable;
    if (of_ours.not_run.empty()) runnable.push_back({&ours, a, &of_ours});
    if (of_other.not_run.empty()) runnable.push_back({&other, b, &of_other});
    if (runnable.empty()) return;
    std::vector<std::function<void()>> calls;
    for (const Runnable& one : runnable) {
      one.task->contender->prepare(which.mode, one.precision);
      calls.emplace_back([this, task = one.task] {
        if (plan_.check_stop) plan_.check_stop();
        task->call();
      });
    }
    progress(case_text(which), 0.1);
    std::string failure;
    try {
      const auto timed = time_interleaved(
          calls, plan_.timing, steady_now_s, [&](std::int64_t round, std::int64_t rounds) {
            progress(case_text(which),
                     0.1 + 0.6 * static_cast<double>(round) / static_cast<double>(rounds));
          });
      for (std::size_t i = 0; i < runnable.size(); ++i)
        note(runnable[i].task, which, runnable[i].precision, timed[i], *runnable[i].measurement);
      return;
    } catch (const c10::Error& error) {
      if (!is_out_of_memory(error)) throw;
      failure = "out of memory: " + memory_request(error);
    } catch (const Error& error) {  // a TorchScript module that cannot take the length
      failure = error.what();
    }
    if (runnable.size() == 1) {
      runnable.front().measurement->not_run = failure;
      return;
    }
    // Which of the two it was is found by timing each alone; it must not take the other one along.
    Measurement not_now;
    not_now.not_run = failure;
    time_pair(ours, a, of_ours, other, b, not_now, which);
    not_now.not_run = failure;
    time_pair(ours, a, not_now, other, b, of_other, which);
  }

  void note(const Task* task, const BenchCase& which, Precision precision, const TimedCalls& timed,
            Measurement& measurement) {
    measurement.samples_s = timed.samples_s;
    measurement.warm_up_calls = timed.warm_up_calls;
    pace_.note(key_of(*task, which, precision),
               work_units(measurement.flops_a_call, measurement.tokens_a_call),
               measurement.median_s());
    if (measurement.deviation_s() > kNoisyShare * measurement.mean_s())
      comparison_.warnings.push_back(
          fmt::format("{}, {} in {}: the calls' times differ by {:.0f} % of their mean; the "
                      "machine is busy with "
                      "something else, or too few calls were made",
                      case_text(which), task->spec->name, measurement.precision,
                      100 * measurement.deviation_s() / measurement.mean_s()));
  }

  void measure_memory(const Task& task, const BenchCase& which, Precision precision,
                      Measurement& measurement) {
    if (!measurement.not_run.empty()) return;
    progress(fmt::format("{}: memory of {}", case_text(which), task.spec->name),
             task.side == Side::ours ? 0.7 : 0.8);
    MemoryTask wanted{.spec = *task.spec,
                      .mode = which.mode,
                      .precision = precision,
                      .device = which.device,
                      .threads = which.threads,
                      .batch_size = which.batch_size,
                      .seq_len = which.seq_len};
    if (which.seq_len == 0) wanted.lengths = longest_batch(task.workload);
    measurement.memory = probe_memory(wanted);
  }

  static std::vector<std::int64_t> longest_batch(const Workload& workload) {
    std::size_t longest = 0;
    for (std::size_t i = 0; i < workload.batches.size(); ++i) {
      if (workload.batches[i].tokens.size() > workload.batches[longest].tokens.size()) longest = i;
    }
    return workload.lengths(longest);
  }

  const BenchPlan& plan_;
  Comparison comparison_;
  Pace pace_;
  std::set<Pace::Key> tried_;              // by more than the smallest batch
  std::map<Pace::Key, Precision> faster_;  // by a key without a precision
  std::string device_name_;
  std::unique_ptr<Contender> ours_;
  std::unique_ptr<Contender> other_;
  double done_ = 0;
};

}  // namespace

Comparison run_comparison(const BenchPlan& plan) { return Runner(plan).run(); }

}  // namespace diffuse
