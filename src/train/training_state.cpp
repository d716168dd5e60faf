#include "diffuse/train/training_state.hpp"

#include <fmt/core.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "diffuse/base/error.hpp"
#include "diffuse/base/files.hpp"
#include "diffuse/config/load.hpp"

namespace diffuse {
namespace {

constexpr int kStateVersion = 2;

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

/// Takes values out of a file that may hold anything.
class StateReader {
 public:
  StateReader(const std::filesystem::path& path, const nlohmann::json& json)
      : path_(path), json_(json) {}

  const nlohmann::json& object(const char* key) const {
    const nlohmann::json& found = value(key);
    if (!found.is_object()) fail(key, "an object");
    return found;
  }
  std::int64_t count(const char* key) const {
    const nlohmann::json& found = value(key);
    const bool fits = found.is_number_unsigned() &&
                      found.get<std::uint64_t>() <=
                          static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (!fits) fail(key, "a whole number of at least 0");
    return found.get<std::int64_t>();
  }
  double number(const char* key) const {
    const nlohmann::json& found = value(key);
    if (!found.is_number()) fail(key, "a number");
    return found.get<double>();
  }
  bool flag(const char* key) const {
    const nlohmann::json& found = value(key);
    if (!found.is_boolean()) fail(key, "true or false");
    return found.get<bool>();
  }
  const nlohmann::json& value(const char* key) const {
    const auto found = json_.find(key);
    if (found == json_.end()) fail(key, "a value; there is none");
    return *found;
  }

 private:
  [[noreturn]] void fail(const char* key, const char* expected) const {
    throw CheckpointError(
        fmt::format("{}: {}: expected {}; the file is damaged or not a state of "
                    "training.",
                    path_.string(), key, expected));
  }

  const std::filesystem::path& path_;
  const nlohmann::json& json_;
};

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

TrainingState read_training_state(const std::filesystem::path& path) {
  const nlohmann::json json =
      nlohmann::json::parse(read_file(path), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object())
    throw CheckpointError(
        fmt::format("{}: not a JSON object; the file is damaged.", path.string()));
  const StateReader reader(path, json);
  if (const std::int64_t version = reader.count("version"); version != kStateVersion) {
    throw CheckpointError(
        fmt::format("{}: version {}, expected {}: the checkpoint was written by another version of "
                    "diffuse. It evaluates and predicts, but cannot be gone on with.",
                    path.string(), version, kStateVersion));
  }
  TrainingState state;
  state.update = reader.count("update");
  state.epoch = reader.count("epoch");
  state.position = reader.count("position");
  state.elapsed_s = reader.number("elapsed_s");
  state.evaluation_due = reader.flag("evaluation_due");
  state.stopped_early = reader.flag("stopped_early");
  const StateReader period(path, reader.object("period"));
  state.period = {.loss_sum = period.number("loss_sum"),
                  .correct = period.number("correct"),
                  .examples = period.count("examples"),
                  .tokens = period.count("tokens"),
                  .skipped_updates = period.count("skipped_updates")};
  if (!reader.value("best").is_null()) {
    const StateReader best(path, reader.object("best"));
    state.has_best = true;
    state.best_update = best.count("update");
    state.best_score = best.number("score");
    state.best_accuracy = best.number("accuracy");
    state.best_loss = best.number("loss");
    state.reference_score = best.number("reference_score");
  }
  state.evaluations_without_gain = reader.count("evaluations_without_gain");
  return state;
}

}  // namespace diffuse
