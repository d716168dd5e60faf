#include "diffuse/bench/baseline.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json_fields.hpp"
#include "base/json_reader.hpp"
#include "diffuse/base/child_process.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/base/system.hpp"
#include "diffuse/bench/contender.hpp"
#include "diffuse/bench/timing.hpp"
#include "diffuse/bench/workload.hpp"
#include "diffuse/config/load.hpp"
#include "diffuse/data/loading.hpp"
#include "diffuse/data/sampler.hpp"
#include "diffuse/device/device.hpp"
#include "precision_trial.hpp"

namespace diffuse {
namespace {

constexpr double kLongestStep_s = 6;  // of the limit's 60: a few must fit
constexpr double kLongestTrial_s = 1;

/// Texts of the training file as batches, and the time that a step takes on them.
class BaselineRun final : private TrialSubject {
 public:
  BaselineRun(const Config& config, const std::string& name, double limit_s)
      : start_s_(steady_now_s()),
        limit_s_(limit_s),
        config_(config),
        device_(resolve_device(config.train.device)),
        data_(load_training_data(config.data, config.tokenizer, config.train.seed,
                                 set_thread_count(config.train.threads))),
        contender_({.name = name,
                    .config = config,
                    .shape = {data_.tokenizer->vocab_size(), data_.labels.size(),
                              data_.tokenizer->mask_id(), data_.tokenizer->pad_id()},
                    .checkpoint = ""},
                   device_) {
    figures_.model = name;
  }

  BaselineFigures run() {
    const auto [precision, batch_s] = fastest_precision_here();
    figures_.precision = std::string(enum_name(precision));
    const double batch_size = static_cast<double>(config_.train.batch_size);
    figures_.batch_size =
        std::clamp(static_cast<std::int64_t>(batch_size * kLongestStep_s / batch_s),
                   std::int64_t{1}, config_.train.batch_size);
    contender_.prepare(BenchMode::train, precision);
    reset_peak_memory(device_);
    const auto batches = batches_of(figures_.batch_size);
    step(batches.front());  // the first of a precision is slower
    double seconds = 0;
    double tokens = 0;
    for (const auto& rows : batches) {
      const double step_s = step(rows);
      seconds += step_s;
      tokens += tokens_of(rows);
      ++figures_.steps;
      if (steady_now_s() - start_s_ + step_s > limit_s_) break;
    }
    // By tokens, which the timed batches have not as many of as the mean batch.
    const std::int64_t rows = std::ssize(data_.train.rows);
    const std::int64_t in_epoch = config_.data.epoch_rows;
    const double share = in_epoch > 0 && in_epoch < rows
                             ? static_cast<double>(in_epoch) / static_cast<double>(rows)
                             : 1;
    figures_.epoch_time_s =
        share * seconds / tokens * static_cast<double>(data_.train.token_count());
    const std::int64_t allocated = device_memory(device_).allocated_peak_bytes;
    figures_.peak_memory_bytes = allocated > 0 ? allocated : peak_rss_bytes();
    return figures_;
  }

 private:
  std::vector<std::vector<std::uint32_t>> batches_of(std::int64_t batch_size) const {
    return epoch_batches(data_.train,
                         {.batch_size = batch_size,
                          .sort_window = config_.train.sort_window,
                          .seed = config_.train.seed},
                         0);
  }

  double tokens_of(const std::vector<std::uint32_t>& rows) const {
    double sum = 0;
    for (const std::uint32_t row : rows) sum += data_.train.data->length(row);
    return sum;
  }

  double step(const std::vector<std::uint32_t>& rows) {
    const Batch batch = make_batch(pack_rows(*data_.train.data, rows), device_);
    const double before = steady_now_s();
    contender_.run(batch);
    return steady_now_s() - before;
  }

  /// The precision, and seconds that a step of a whole batch takes in it.
  std::pair<Precision, double> fastest_precision_here() {
    const PrecisionTrial trial({.longest_call_s = kLongestTrial_s}, steady_now_s);
    std::vector<TriedPrecision> tried;
    for (const Precision precision : device_precisions(device_))
      tried.push_back(trial.time(*this, precision));
    const TriedPrecision& best = tried[fastest_precision(tried)];
    // What cannot be timed at all fails again, and says why.
    return {best.precision, best.call_s.value_or(1)};
  }

  // Rows of the training file as a trial wants them; how long they are is left to the file.
  TrialSize own_size() const override { return {config_.train.batch_size, 1}; }
  double work(const TrialSize& size) const override { return static_cast<double>(size.texts); }
  void prepare(Precision precision) override { contender_.prepare(BenchMode::train, precision); }
  void load(const TrialSize& size) override { trial_rows_ = batches_of(size.texts).front(); }
  void call() override { step(trial_rows_); }

  double start_s_;
  double limit_s_;
  Config config_;
  at::Device device_;
  TrainingData data_;
  Contender contender_;
  BaselineFigures figures_;
  std::vector<std::uint32_t> trial_rows_;
};

}  // namespace

std::string baseline_json(const BaselineFigures& figures) {
  return nlohmann::ordered_json{{"model", figures.model},
                                {"precision", figures.precision},
                                {"epoch_time_s", figures.epoch_time_s},
                                {"peak_memory_bytes", figures.peak_memory_bytes},
                                {"batch_size", figures.batch_size},
                                {"steps", figures.steps}}
      .dump();
}

BaselineFigures parse_baseline(const std::string& text, const std::string& place) {
  const auto json = read_json_object(text, place);
  const JsonFields fields(json, place);
  return {.model = fields.text("model"),
          .precision = fields.text("precision"),
          .epoch_time_s = fields.finite_number("epoch_time_s"),
          .peak_memory_bytes = fields.count("peak_memory_bytes"),
          .batch_size = fields.count("batch_size"),
          .steps = fields.count("steps")};
}

BaselineFigures probe_baseline(const Config& baseline, const std::string& name, double limit_s) {
  // Room for the process to start and to end in.
  constexpr double kShare = 0.9;
  nlohmann::ordered_json task;
  task["name"] = name;
  task["limit_s"] = kShare * limit_s;
  task["config"] = nlohmann::ordered_json::parse(config_json(baseline));
  const ChildOutcome outcome =
      run_child(own_program(), {"--quiet", "bench", "--baseline-probe"}, task.dump(), limit_s);
  if (outcome.timed_out)
    throw SystemError(fmt::format(
        "The baseline, {}, could not be measured in {:g} seconds: reading the data and a few of "
        "its "
        "steps take longer here. Train without --baseline, or with a smaller tokenizer.max_tokens "
        "or data.max_rows.",
        name, limit_s));
  if (outcome.exit_code != 0)
    throw SystemError(fmt::format(
        "The process that measures the baseline failed ({} {}); see its message above. Train "
        "without --baseline, or with a smaller train.batch_size or tokenizer.max_tokens.",
        outcome.signal != 0 ? "signal" : "exit code",
        outcome.signal != 0 ? outcome.signal : outcome.exit_code));
  return parse_baseline(outcome.out, "baseline answer");
}

std::string answer_baseline_task(const std::string& task_json) {
  constexpr const char* kPlace = "baseline task";
  const auto json = read_json_object(task_json, kPlace);
  const JsonFields fields(json, kPlace);
  fields.object("config");  // that there is one
  return baseline_json(BaselineRun(parse_config(json["config"].dump(), kPlace), fields.text("name"),
                                   fields.finite_number("limit_s"))
                           .run());
}

}  // namespace diffuse
