#include "diffuse/train/training_state.hpp"

#include <fmt/core.h>
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "diffuse/base/error.hpp"
#include "support/temp_dir.hpp"

namespace diffuse {
namespace {

using ::testing::HasSubstr;
using testing::TempDir;

Metrics metrics(double accuracy, double loss, double macro_f1 = 0) {
  Metrics result;
  result.accuracy = accuracy;
  result.mean_loss = loss;
  result.macro_f1 = macro_f1;
  return result;
}

TEST(TrainingState, BestIsAHigherAccuracyOrTheSameWithALowerLoss) {
  const TrainConfig rule;
  TrainingState state;
  state.update = 1;
  EXPECT_TRUE(state.note_evaluation(metrics(0, 5), rule));
  EXPECT_FALSE(state.note_evaluation(metrics(0, 5), rule));
  EXPECT_FALSE(state.note_evaluation(metrics(0, 6), rule));
  EXPECT_EQ(state.evaluations_without_gain, 2);
  state.update = 2;
  EXPECT_TRUE(state.note_evaluation(metrics(0, 4), rule));
  EXPECT_EQ(state.evaluations_without_gain, 0);
  EXPECT_TRUE(state.note_evaluation(metrics(0.5, 9), rule));
  EXPECT_EQ(state.best_update, 2);
  EXPECT_EQ(state.best_accuracy, 0.5);
  EXPECT_EQ(state.best_loss, 9);
}

TEST(TrainingState, TheMetricIsTheOneAskedFor) {
  TrainConfig rule;
  rule.metric = ValidationMetric::loss;
  TrainingState by_loss;
  by_loss.note_evaluation(metrics(0.9, 2), rule);
  EXPECT_TRUE(by_loss.note_evaluation(metrics(0.1, 1), rule));
  EXPECT_FALSE(by_loss.note_evaluation(metrics(0.99, 1.5), rule));
  rule.metric = ValidationMetric::macro_f1;
  TrainingState by_f1;
  by_f1.note_evaluation(metrics(0.9, 2, 0.3), rule);
  EXPECT_TRUE(by_f1.note_evaluation(metrics(0.1, 3, 0.4), rule));
  EXPECT_FALSE(by_f1.note_evaluation(metrics(0.99, 1, 0.2), rule));
}

TEST(TrainingState, PatienceAsksForMoreThanTheSmallestGain) {
  TrainConfig rule;
  rule.min_gain = 0.25;
  TrainingState state;
  state.note_evaluation(metrics(0.5, 1), rule);
  EXPECT_TRUE(state.note_evaluation(metrics(0.625, 1), rule));  // the best, but no gain
  EXPECT_EQ(state.evaluations_without_gain, 1);
  EXPECT_TRUE(state.note_evaluation(metrics(0.75, 1), rule));  // a gain must be more than 0.25
  EXPECT_EQ(state.evaluations_without_gain, 2);
  EXPECT_TRUE(state.note_evaluation(metrics(0.8125, 1), rule));
  EXPECT_EQ(state.evaluations_without_gain, 0);
  EXPECT_EQ(state.reference_score, 0.8125);
}

TrainingState full_state() {
  TrainingState state;
  state.update = 123;
  state.epoch = 4;
  state.position = 5;
  state.elapsed_s = 1.0 / 3;
  state.evaluation_due = true;
  state.stopped_early = true;
  state.period = {.loss_sum = 0.1, .correct = 7, .examples = 8, .tokens = 9, .skipped_updates = 1};
  state.recent = {.losses = {0.5, 1.0 / 3},
                  .outside_updates = 3,
                  .skipped_updates = 4,
                  .last_gradient_norm = 0.7};
  state.has_best = true;
  state.best_update = 100;
  state.best_score = -0.7;
  state.best_accuracy = 0.9;
  state.best_loss = 0.7;
  state.reference_score = -0.8;
  state.evaluations_without_gain = 2;
  return state;
}

TEST(TrainingState, ReadsWhatItWrote) {
  const TempDir dir;
  const std::string text = training_state_json(full_state(), {});
  const auto path = dir.write("state.json", text);
  EXPECT_EQ(training_state_json(read_training_state(path), {}), text);
  const std::string fresh = training_state_json({}, {});
  EXPECT_EQ(training_state_json(read_training_state(dir.write("fresh.json", fresh)), {}), fresh);
}

std::string error_of(const std::string& text) {
  const TempDir dir;
  const auto path = dir.write("state.json", text);
  try {
    read_training_state(path);
  } catch (const CheckpointError& error) {
    const std::string what = error.what();
    EXPECT_TRUE(what.starts_with(path.string() + ": ")) << what;
    return what.substr(path.string().size() + 2);
  }
  return "no error";
}

TEST(TrainingState, TheScheduleThatTheRunFollowed) {
  const TempDir dir;
  const LearningRateSchedule schedule{
      .kind = Schedule::linear, .peak = 0.25, .warmup = 3, .total = 40};
  const LearningRateSchedule read =
      read_training_schedule(dir.write("state.json", training_state_json(full_state(), schedule)));
  EXPECT_EQ(read.kind, Schedule::linear);
  EXPECT_EQ(read.peak, 0.25);
  EXPECT_EQ(read.warmup, 3);
  EXPECT_EQ(read.total, 40);
}

TEST(TrainingState, WithoutItsCheckpointAnEvaluationIsNotTheBest) {
  TrainingState state;
  state.update = 1;
  state.note_evaluation(metrics(0.5, 1), {});
  const TrainingState before = state;
  state.update = 2;
  state.note_evaluation(metrics(0.75, 1), {});
  state.keep_best_of(before);
  EXPECT_EQ(state.best_update, 1);
  EXPECT_EQ(state.best_accuracy, 0.5);
  EXPECT_EQ(state.reference_score, before.reference_score);
  EXPECT_EQ(state.evaluations_without_gain, before.evaluations_without_gain);
  state.update = 3;
  EXPECT_TRUE(state.note_evaluation(metrics(0.625, 1), {})) << "better than what is there";
}

TEST(TrainingState, ADamagedFileIsRefusedKeyByKey) {
  EXPECT_EQ(error_of(""),
            "not valid JSON at column 1; expected a JSON object. The file is damaged or not a "
            "state of training.");
  EXPECT_EQ(error_of("[1]"),
            "array and no object; expected a JSON object. The file is damaged or not a state of "
            "training.");
  const auto changed = [](const char* pointer, const nlohmann::json& value) {
    auto json = nlohmann::json::parse(training_state_json(full_state(), {}));
    json[nlohmann::json::json_pointer(pointer)] = value;
    return error_of(json.dump());
  };
  const std::string damaged = " The file is damaged or not a state of training.";
  const std::string count = "; expected a whole number from 0 on." + damaged;
  EXPECT_EQ(changed("/update", -1), "\"update\" is -1" + count);
  EXPECT_EQ(changed("/epoch", 1.5), "\"epoch\" is 1.5" + count);
  EXPECT_EQ(changed("/position", 18446744073709551615U),
            "\"position\" is 18446744073709551615" + count);
  EXPECT_EQ(changed("/elapsed_s", "1"), "\"elapsed_s\" is \"1\"; expected a number." + damaged);
  EXPECT_EQ(changed("/evaluation_due", 0),
            "\"evaluation_due\" is 0; expected true or false." + damaged);
  EXPECT_EQ(changed("/period", 0), "\"period\" is 0; expected an object." + damaged);
  EXPECT_EQ(changed("/recent/losses", 0),
            "recent: \"losses\" is 0; expected a list of numbers." + damaged);
  EXPECT_EQ(changed("/recent/losses", nlohmann::json::array({nullptr})),
            "recent: \"losses\" is null; expected a list of numbers." + damaged);
  EXPECT_EQ(changed("/best/loss", nullptr), "best: \"loss\" is null; expected a number." + damaged);
  for (const auto& [key, expected] :
       {std::pair("best", "an object or null"), std::pair("stopped_early", "true or false"),
        std::pair("evaluations_without_gain", "a whole number from 0 on")}) {
    auto json = nlohmann::json::parse(training_state_json(full_state(), {}));
    json.erase(key);
    EXPECT_EQ(error_of(json.dump()),
              fmt::format("\"{}\" is missing; expected {}.{}", key, expected, damaged));
  }
}

TEST(TrainingState, AnotherVersionSaysWhichAndWhatItIsStillGoodFor) {
  auto json = nlohmann::json::parse(training_state_json({}, {}));
  json["version"] = 1;
  EXPECT_THAT(error_of(json.dump()),
              HasSubstr("version 1, expected 3: the checkpoint was written by an older version of "
                        "diffuse. It evaluates and predicts, but cannot be gone on with."));
  json["version"] = 99;
  EXPECT_THAT(error_of(json.dump()),
              HasSubstr("version 99, expected 3: the checkpoint was written by a newer version of "
                        "diffuse. Go on with that version; `diffuse version` tells which one this "
                        "is."));
}

}  // namespace
}  // namespace diffuse
