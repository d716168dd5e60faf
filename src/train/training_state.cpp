#include "diffuse/train/training_state.hpp"

#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "base/json_fields.hpp"
#include "base/json_reader.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/base/files.hpp"
#include "diffuse/config/load.hpp"

namespace diffuse {
namespace {

constexpr int kStateVersion = 3;

double score_of(const Metrics& metrics, ValidationMetric metric) {
  switch (metric) {
    case ValidationMetric::accuracy:
      return metrics.accuracy;
    case ValidationMetric::macro_f1:
      return metrics.macro_f1.value_or(0);
    case ValidationMetric::loss:
      return -metrics.mean_loss;
  }
  return metrics.accuracy;
}

TrainingState state_of(const JsonFields& fields) {
  TrainingState state;
  state.update = fields.count("update");
  state.epoch = fields.count("epoch");
  state.position = fields.count("position");
  state.elapsed_s = fields.finite_number("elapsed_s");
  state.evaluation_due = fields.flag("evaluation_due");
  state.stopped_early = fields.flag("stopped_early");
  const JsonFields period = fields.object("period");
  state.period = {.loss_sum = period.finite_number("loss_sum"),
                  .correct = period.finite_number("correct"),
                  .examples = period.count("examples"),
                  .tokens = period.count("tokens"),
                  .skipped_updates = period.count("skipped_updates")};
  const JsonFields recent = fields.object("recent");
  state.recent = {.losses = recent.finite_numbers("losses"),
                  .outside_updates = recent.count("outside_updates"),
                  .skipped_updates = recent.count("skipped_updates"),
                  .last_gradient_norm = recent.finite_number("last_gradient_norm")};
  if (const auto best = fields.object_or_null("best")) {
    state.has_best = true;
    state.best_update = best->count("update");
    state.best_score = best->finite_number("score");
    state.best_accuracy = best->finite_number("accuracy");
    state.best_loss = best->finite_number("loss");
    state.reference_score = best->finite_number("reference_score");
  }
  state.evaluations_without_gain = fields.count("evaluations_without_gain");
  return state;
}

/// What `read` finds in the file `path`, whose version is checked first.
template <class Read>
auto read_state(const std::filesystem::path& path, const Read& read) {
  try {
    const nlohmann::json json = read_json_object(read_file(path), path.string());
    const JsonFields fields(json, path.string());
    const std::int64_t version = fields.count("version");
    if (version != kStateVersion)
      throw CheckpointError(fmt::format(
          "{}: version {}, expected {}: the checkpoint was written by {} version of diffuse. {}",
          path.string(), version, kStateVersion, version > kStateVersion ? "a newer" : "an older",
          version > kStateVersion
              ? "Go on with that version; `diffuse version` tells which one this is."
              : "It evaluates and predicts, but cannot be gone on with."));
    return read(fields);
  } catch (const DataError& error) {
    throw CheckpointError(
        fmt::format("{} The file is damaged or not a state of training.", error.what()));
  }
}

}  // namespace

bool TrainingState::note_evaluation(const Metrics& metrics, const TrainConfig& rule) {
  const double score = score_of(metrics, rule.metric);
  const bool best =
      !has_best || score > best_score || (score == best_score && metrics.mean_loss < best_loss);
  const bool gain =
      !has_best || (rule.min_gain > 0 ? score > reference_score + rule.min_gain : best);
  if (best) {
    has_best = true;
    best_update = update;
    best_score = score;
    best_accuracy = metrics.accuracy;
    best_loss = metrics.mean_loss;
  }
  if (gain) reference_score = score;
  evaluations_without_gain = gain ? 0 : evaluations_without_gain + 1;
  return best;
}

void TrainingState::keep_best_of(const TrainingState& before) {
  has_best = before.has_best;
  best_update = before.best_update;
  best_score = before.best_score;
  best_accuracy = before.best_accuracy;
  best_loss = before.best_loss;
  reference_score = before.reference_score;
  evaluations_without_gain = before.evaluations_without_gain;
}

std::string training_state_json(const TrainingState& state, const LearningRateSchedule& schedule) {
  nlohmann::ordered_json json;
  json["version"] = kStateVersion;
  json["update"] = state.update;
  json["epoch"] = state.epoch;
  json["position"] = state.position;
  json["elapsed_s"] = state.elapsed_s;
  json["evaluation_due"] = state.evaluation_due;
  json["stopped_early"] = state.stopped_early;
  json["period"] = {{"loss_sum", state.period.loss_sum},
                    {"correct", state.period.correct},
                    {"examples", state.period.examples},
                    {"tokens", state.period.tokens},
                    {"skipped_updates", state.period.skipped_updates}};
  json["recent"] = {{"losses", state.recent.losses},
                    {"outside_updates", state.recent.outside_updates},
                    {"skipped_updates", state.recent.skipped_updates},
                    {"last_gradient_norm", state.recent.last_gradient_norm}};
  json["best"] = nullptr;
  if (state.has_best) {
    json["best"] = {{"update", state.best_update},
                    {"score", state.best_score},
                    {"accuracy", state.best_accuracy},
                    {"loss", state.best_loss},
                    {"reference_score", state.reference_score}};
  }
  json["evaluations_without_gain"] = state.evaluations_without_gain;
  json["schedule"] = {{"kind", std::string(enum_name(schedule.kind))},
                      {"peak", schedule.peak},
                      {"warmup", schedule.warmup},
                      {"total", schedule.total}};
  return json.dump(2) + "\n";
}

LearningRateSchedule read_training_schedule(const std::filesystem::path& path) {
  return read_state(path, [](const JsonFields& state) {
    const JsonFields fields = state.object("schedule");
    LearningRateSchedule schedule{.peak = fields.finite_number("peak"),
                                  .warmup = fields.count("warmup"),
                                  .total = fields.count("total")};
    const std::string kind = fields.text("kind");
    for (const Schedule known : {Schedule::constant, Schedule::linear, Schedule::cosine}) {
      if (enum_name(known) == kind) schedule.kind = known;
    }
    return schedule;
  });
}

TrainingState read_training_state(const std::filesystem::path& path) {
  return read_state(path, state_of);
}

}  // namespace diffuse
