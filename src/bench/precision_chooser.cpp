#include "precision_chooser.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "diffuse/base/system.hpp"
#include "diffuse/config/load.hpp"
#include "diffuse/device/precision.hpp"
#include "diffuse/model/kernel_choice.hpp"
#include "diffuse/model/model_description.hpp"
#include "refusal.hpp"

namespace diffuse {
namespace {

/// A task's contender, on the task's own texts or on random ones where a call is to be smaller.
class TaskTrial final : public TrialSubject {
 public:
  TaskTrial(Task& task, BenchMode mode) : task_(task), mode_(mode) {
    const double texts = task.workload.examples_a_batch();
    own_ = {std::max<std::int64_t>(1, std::llround(texts)),
            std::max<std::int64_t>(1, std::llround(task.workload.tokens_a_batch() / texts))};
  }

  TrialSize own_size() const override { return own_; }

  double work(const TrialSize& size) const override {
    return size == own_ ? work_of(task_, mode_)
                        : work_of(*task_.spec, mode_, size.texts, size.tokens);
  }

  void prepare(Precision precision) override { task_.contender->prepare(mode_, precision); }

  void load(const TrialSize& size) override {
    part_.reset();
    if (size == own_) return;
    part_ = make_task(*task_.spec, *task_.contender,
                      synthetic_workload(task_.spec->shape, size.texts, size.tokens, 1));
  }

  void call() override { part_ ? part_->call() : task_.call(); }

 private:
  Task& task_;
  BenchMode mode_;
  TrialSize own_;
  std::optional<Task> part_;  // nothing: the task itself
};

}  // namespace

std::vector<Precision> candidate_precisions(const Task& task, const BenchPlan& plan) {
  const at::Device device = task.contender->device();
  std::vector<Precision> candidates;
  if (plan.precisions.empty()) {
    candidates = device_precisions(device);
    const Config& config = task.spec->config;
    if (config.train.kernel == Kernel::fused)
      std::erase_if(candidates, [&](Precision precision) {
        return !fused_kernel_problem(config.model.type, device, precision).empty();
      });
    return candidates.empty() ? device_precisions(device) : candidates;  // all fail, and say why
  }
  for (const Precision wanted : plan.precisions)
    candidates.push_back(resolve_precision(wanted, device, product_width(task.spec->config)));
  return candidates;
}

ChosenPrecisions choose_precisions(Task& task, const BenchCase& which, const BenchPlan& plan,
                                   const std::function<void(const std::string&)>& on_trial) {
  TrialOptions options;
  options.longest_call_s = std::min(options.longest_call_s, plan.budget_s);
  options.least_s = std::min(options.least_s, plan.budget_s);
  const PrecisionTrial trial(options, steady_now_s);
  TaskTrial subject(task, which.mode);
  // Nothing is chosen among what was asked for: it is enough to know that the budget suffices.
  std::function<bool(double)> good_enough;
  if (!plan.precisions.empty())
    good_enough = [&](double call_s) { return is_affordable(plan, call_s); };
  ChosenPrecisions result;
  for (const Precision candidate : candidate_precisions(task, plan)) {
    on_trial(fmt::format("trying {} in {}", task.spec->name, enum_name(candidate)));
    result.tried.push_back(trial.time(subject, candidate, good_enough));
  }
  result.chosen = result.tried;
  if (plan.precisions.empty()) result.chosen = {result.tried[fastest_precision(result.tried)]};
  return result;
}

}  // namespace diffuse
