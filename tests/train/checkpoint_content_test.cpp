#include <gtest/gtest.h>

#include <cstring>

#include "diffuse/base/error.hpp"
#include "diffuse/base/safetensors.hpp"
#include "diffuse/train/checkpointer.hpp"
#include "diffuse/train/trainer.hpp"
#include "support/fake_classifier.hpp"
#include "support/message_of.hpp"
#include "support/temp_dir.hpp"
#include "training_fixture.hpp"

namespace diffuse {
namespace {

using testing::FakeClassifier;
using testing::kVocabSize;
using testing::TempDir;

std::vector<std::string> names_of(const SafetensorsFile& file) {
  std::vector<std::string> names;
  for (const auto& [name, view] : file.tensors()) names.push_back(name);
  return names;
}

std::vector<float> values_of(const SafetensorsFile& file, const std::string& name) {
  const TensorView& view = file.tensors().at(name);
  std::vector<float> values(view.bytes.size() / sizeof(float));
  std::memcpy(values.data(), view.bytes.data(), view.bytes.size());
  return values;
}

std::vector<float> values_of(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.detach().contiguous();
  return {flat.const_data_ptr<float>(), flat.const_data_ptr<float>() + flat.numel()};
}

Config run_of_ten(double ema_decay) {
  Config config = testing::short_run();
  config.train.length = "10u";
  config.train.ema_decay = ema_decay;
  return config;
}

TrainingData two_classes() {
  return testing::training_data(testing::separable_rows(64, 2, 1),
                                testing::separable_rows(16, 2, 2), {"a", "b"});
}

TEST(TrainingCheckpoint, HoldsTheModelAndTheStateOfTraining) {
  const TempDir dir;
  FakeClassifier classifier(kVocabSize, 2);
  train(run_of_ten(0), two_classes(), classifier, dir.path());
  const auto folder = dir.path() / "checkpoints/last";
  for (const char* name : {"config.json", "vocab.txt", "labels.txt"})
    EXPECT_TRUE(std::filesystem::exists(folder / name)) << name;

  const auto model = SafetensorsFile::read(folder / "model.safetensors");
  EXPECT_EQ(names_of(model), (std::vector<std::string>{"bias", "weight"}));
  EXPECT_EQ(values_of(model, "weight"), values_of(classifier.parameters()[0].tensor));

  const auto training = SafetensorsFile::read(folder / "optimizer.safetensors");
  EXPECT_EQ(
      names_of(training),
      (std::vector<std::string>{"exp_avg.bias", "exp_avg.weight", "exp_avg_sq.bias",
                                "exp_avg_sq.weight", "generator", "step.matrix", "step.vector"}));
  EXPECT_EQ(values_of(training, "step.matrix"), std::vector<float>{10});
  EXPECT_EQ(training.tensors().at("generator").dtype, DType::u8);
  EXPECT_GT(training.tensors().at("generator").bytes.size(), 1000U);

  const auto state = nlohmann::json::parse(read_file(folder / "state.json"));
  EXPECT_EQ(state.at("update"), 10);
  EXPECT_EQ(state.at("epoch"), 2);  // four updates an epoch
  EXPECT_EQ(state.at("position"), 2);
  EXPECT_EQ(state.at("schedule").at("kind"), "constant");
  EXPECT_EQ(state.at("schedule").at("total"), 10);
  EXPECT_TRUE(state.at("best").at("accuracy").is_number());
}

TEST(TrainingCheckpoint, WithAnAverageTheModelHoldsItAndTheRawWeightsAreKept) {
  const TempDir dir;
  FakeClassifier classifier(kVocabSize, 2);
  train(run_of_ten(0.9), two_classes(), classifier, dir.path());
  const auto folder = dir.path() / "checkpoints/last";
  const auto model = SafetensorsFile::read(folder / "model.safetensors");
  const auto training = SafetensorsFile::read(folder / "optimizer.safetensors");
  EXPECT_NE(values_of(model, "weight"), values_of(training, "raw.weight"));
  // Evaluation has put the raw weights back.
  EXPECT_EQ(values_of(training, "raw.weight"), values_of(classifier.parameters()[0].tensor));
  EXPECT_EQ(values_of(training, "raw.bias"), values_of(classifier.parameters()[1].tensor));
}

TEST(TrainingCheckpoint, HoldsTheTemperatureOfTheLastEvaluation) {
  const TempDir dir;
  FakeClassifier classifier(kVocabSize, 2);
  Config config = run_of_ten(0);
  config.train.max_updates = 6;  // four updates an epoch: one evaluation before the end
  config.train.checkpoint_every = "1u";
  config.train.keep_checkpoints = 10;
  const TrainingData data = two_classes();
  train(config, data, classifier, dir.path());
  const auto root = dir.path() / "checkpoints";
  EXPECT_FALSE(std::filesystem::exists(root / "000003/calibration.json"));
  const double temperature = read_temperature(root / "000004");
  EXPECT_NE(temperature, 1);
  EXPECT_EQ(read_temperature(root / "000005"), temperature);
  // Whoever goes on from there knows it, too.
  std::filesystem::remove_all(root / "000005");
  train(config, data, classifier, dir.path(), root / "000004");
  EXPECT_EQ(read_temperature(root / "000005"), temperature);
}

TEST(TrainingCheckpoint, WithoutValidationRowsHasNoTemperature) {
  const TempDir dir;
  FakeClassifier classifier(kVocabSize, 2);
  train(run_of_ten(0),
        testing::training_data(testing::separable_rows(64, 2, 1), nullptr, {"a", "b"}), classifier,
        dir.path());
  EXPECT_FALSE(std::filesystem::exists(dir.path() / "checkpoints/last/calibration.json"));
  EXPECT_EQ(read_temperature(dir.path() / "checkpoints/last"), 1);
}

TEST(Temperature, OfADamagedFileIsRefused) {
  const TempDir dir;
  dir.write("calibration.json", R"({"temperature": 0})");
  EXPECT_EQ(testing::message_of<CheckpointError>([&] { read_temperature(dir.path()); }),
            "Checkpoint '" + dir.path().string() +
                "' cannot be used. calibration.json: temperature is 0; expected a number above 0.");
}

TEST(Checkpointer, SaysWhatCannotBeCreated) {
  const TempDir dir;
  dir.write("run", "a file where the run directory should be");
  try {
    Checkpointer(dir.path() / "run", 1);
    FAIL() << "no error";
  } catch (const SystemError& error) {
    EXPECT_TRUE(std::string(error.what())
                    .starts_with((dir.path() / "run/checkpoints").string() +
                                 ": the folder cannot be created: "))
        << error.what();
  }
}

}  // namespace
}  // namespace diffuse
