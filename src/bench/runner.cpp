#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "diffuse/base/error.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/base/progress.hpp"
#include "diffuse/base/signals.hpp"
#include "diffuse/base/system.hpp"
#include "diffuse/bench/comparison.hpp"
#include "diffuse/bench/memory_probe.hpp"
#include "diffuse/config/load.hpp"
#include "diffuse/device/device.hpp"
#include "diffuse/device/precision.hpp"
#include "diffuse/model/model_description.hpp"
#include "precision_chooser.hpp"
#include "refusal.hpp"

namespace diffuse {
namespace {

constexpr double kNoisyShare = 0.1;  // deviation of a sample over its mean

std::string case_text(const BenchCase& which) {
  const std::string length = which.seq_len == 0 ? "texts" : fmt::format("{} tokens", which.seq_len);
  return fmt::format("{} {} x {}", bench_mode_name(which.mode), which.batch_size, length);
}

class Runner {
 public:
  explicit Runner(const BenchPlan& plan) : plan_(plan), specs_(plan.models) {
    comparison_.models.resize(plan.models.size());
  }

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
    throw_if_stopped();
    if (plan_.on_progress)
      plan_.on_progress(what, (done_ + part) / static_cast<double>(plan_.cases.size()));
  }

  /// Models stay for all cases of a device.
  void open_contenders(const BenchCase& which) {
    const std::string& name = which.device;
    if (!contenders_.empty() && name == device_name_) return remake_for(which.seq_len);
    progress("making the models", 0);
    const at::Device device = resolve_device(name);
    device_name_ = name;
    contenders_.clear();
    for (std::size_t i = 0; i < specs_.size(); ++i) {
      fit(specs_[i], which.seq_len);
      contenders_.push_back(std::make_unique<Contender>(specs_[i], device));
      comparison_.models[i].parameter_count = contenders_[i]->parameter_count();
    }
  }

  /// Whether the spec has become another one.
  static bool fit(ContenderSpec& spec, std::int64_t length) {
    const ModelDescription& model = description_of(spec.config);
    const std::int64_t longest = model.longest_text(spec.config);
    if (!spec.made_for_each_length || length == 0 || longest == 0 || longest == length)
      return false;
    model.set_longest_text(spec.config, length);
    spec.config.tokenizer.max_tokens = length;  // no longer one is allowed
    return true;
  }

  void remake_for(std::int64_t length) {
    for (std::size_t i = 0; i < specs_.size(); ++i) {
      if (!fit(specs_[i], length)) continue;
      const at::Device device = contenders_[i]->device();
      contenders_[i].reset();  // before the next one takes its memory
      contenders_[i] = std::make_unique<Contender>(specs_[i], device);
      comparison_.models[i].parameter_count =
          std::max(comparison_.models[i].parameter_count, contenders_[i]->parameter_count());
    }
  }

  /// One side of a case: its task, and a measurement for each of its precisions, of which some may
  /// be refused already.
  struct Side {
    Task task;
    std::vector<Precision> precisions;
    ModelResult result;
  };

  Side open_side(const ContenderSpec& spec, Contender& contender, Workload workload,
                 const BenchCase& which) {
    Side side;
    side.task = make_task(spec, contender, std::move(workload));
    const auto add = [&](Precision precision, const std::string& not_run) {
      Measurement measurement;
      measurement.precision = std::string(enum_name(precision));
      measurement.tokens_a_call = side.task.workload.tokens_a_batch();
      measurement.examples_a_call = side.task.workload.examples_a_batch();
      measurement.flops_a_call = flops_of(side.task, which.mode);
      measurement.not_run = not_run;
      side.precisions.push_back(precision);
      side.result.measurements.push_back(std::move(measurement));
    };
    const std::vector<Precision> candidates = candidate_precisions(side.task, plan_);
    if (const auto why = refusal_for_size(side.task, which, candidates.front()); !why.empty()) {
      for (const Precision precision : candidates) {
        add(precision, why);
        if (plan_.precisions.empty()) break;  // none was chosen: one line is enough
      }
      return side;
    }
    const ChosenPrecisions found = choose_precisions(
        side.task, which, plan_, [this](const std::string& what) { progress(what, 0); });
    side.result.tried = found.tried;
    for (const TriedPrecision& chosen : found.chosen)
      add(chosen.precision, refusal_for_time(chosen, plan_));
    return side;
  }

  void run_case(const BenchCase& which) {
    set_thread_count(which.threads);
    open_contenders(which);
    std::vector<Workload> work = workloads(which);
    std::vector<Side> sides;
    std::size_t most = 0;
    for (std::size_t i = 0; i < contenders_.size(); ++i) {
      sides.push_back(open_side(specs_[i], *contenders_[i], std::move(work[i]), which));
      most = std::max(most, sides[i].precisions.size());
    }
    for (std::size_t i = 0; i < most; ++i) {
      std::vector<Runnable> runnable;
      for (Side& side : sides) {
        if (i >= side.precisions.size()) continue;
        Measurement& measurement = side.result.measurements[i];
        if (measurement.not_run.empty())
          runnable.push_back({&side.task, side.precisions[i], &measurement});
      }
      time(runnable, which);
      if (!plan_.memory) continue;
      double part = 0.7;
      for (const Runnable& one : runnable) {
        measure_memory(*one.task, which, one.precision, *one.measurement, part);
        part += 0.3 / static_cast<double>(runnable.size());
      }
    }
    CaseResult result{.which = which, .models = {}};
    for (std::size_t i = 0; i < sides.size(); ++i) {
      result.models.push_back(std::move(sides[i].result));
      contenders_[i]->prepare(BenchMode::inference, Precision::fp32);  // frees the optimizer
    }
    comparison_.cases.push_back(std::move(result));
  }

  std::vector<Workload> workloads(const BenchCase& which) const {
    if (which.seq_len == 0) return plan_.texts(which.batch_size);
    std::vector<Workload> made;
    for (const ContenderSpec& spec : specs_)
      made.push_back(
          synthetic_workload(spec.shape, which.batch_size, which.seq_len, made.size() + 1));
    return made;
  }

  struct Runnable {
    Task* task;
    Precision precision;
    Measurement* measurement;
  };

  /// Times them, taking turns.
  void time(const std::vector<Runnable>& runnable, const BenchCase& which) {
    if (runnable.empty()) return;
    std::vector<std::function<void()>> calls;
    for (const Runnable& one : runnable) {
      one.task->contender->prepare(which.mode, one.precision);
      one.measurement->kernel = one.task->contender->kernel();
      calls.emplace_back([task = one.task] { task->call(); });
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
        note(runnable[i].task, which, timed[i], *runnable[i].measurement);
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
    // Which of them it was is found by timing each alone; it must not take the others along.
    for (const Runnable& one : runnable) time({one}, which);
  }

  void note(const Task* task, const BenchCase& which, const TimedCalls& timed,
            Measurement& measurement) {
    measurement.samples_s = timed.samples_s;
    measurement.warm_up_calls = timed.warm_up_calls;
    if (measurement.deviation_s() > kNoisyShare * measurement.mean_s())
      comparison_.warnings.push_back(
          fmt::format("{}, {} in {}: the calls' times differ by {:.0f} % of their mean; the "
                      "machine is busy with "
                      "something else, or too few calls were made",
                      case_text(which), task->spec->name, measurement.precision,
                      100 * measurement.deviation_s() / measurement.mean_s()));
  }

  void measure_memory(const Task& task, const BenchCase& which, Precision precision,
                      Measurement& measurement, double part) {
    if (!measurement.not_run.empty()) return;
    progress(fmt::format("{}: memory of {}", case_text(which), task.spec->name), part);
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
      if (workload.batches[i].tokens().size() > workload.batches[longest].tokens().size())
        longest = i;
    }
    return workload.lengths(longest);
  }

  const BenchPlan& plan_;
  Comparison comparison_;
  std::string device_name_;
  std::vector<ContenderSpec> specs_;                    // of the plan's models, for the case
  std::vector<std::unique_ptr<Contender>> contenders_;  // of these
  double done_ = 0;
};

}  // namespace

Comparison run_comparison(const BenchPlan& plan) { return Runner(plan).run(); }

}  // namespace diffuse
