#include "diffuse/train/training_state.hpp"

#include <nlohmann/json.hpp>

#include "diffuse/config/load.hpp"

namespace diffuse {
namespace {

constexpr int kStateVersion = 1;

}  // namespace

bool TrainingState::note_evaluation(double accuracy, double loss) {
  const bool best =
      !has_best || accuracy > best_accuracy || (accuracy == best_accuracy && loss < best_loss);
  if (best) {
    has_best = true;
    best_update = update;
    best_accuracy = accuracy;
    best_loss = loss;
  }
  evaluations_without_gain = best ? 0 : evaluations_without_gain + 1;
  return best;
}

std::string training_state_json(const TrainingState& state, const LearningRateSchedule& schedule) {
  nlohmann::ordered_json json;
  json["version"] = kStateVersion;
  json["update"] = state.update;
  json["epoch"] = state.epoch;
  json["position"] = state.position;
  json["best"] = nullptr;
  if (state.has_best) {
    json["best"] = {{"update", state.best_update},
                    {"accuracy", state.best_accuracy},
                    {"loss", state.best_loss}};
  }
  json["evaluations_without_gain"] = state.evaluations_without_gain;
  json["schedule"] = {{"kind", std::string(enum_name(schedule.kind))},
                      {"peak", schedule.peak},
                      {"warmup", schedule.warmup},
                      {"total", schedule.total}};
  return json.dump(2) + "\n";
}

}  // namespace diffuse
