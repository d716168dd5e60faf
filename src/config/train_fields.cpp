#include "field.hpp"

namespace diffuse {
namespace {

constexpr const char* kLengthPattern = "^([0-9]+(\\.[0-9]+)?e|[0-9]+u)$";
constexpr const char* kLengthWords = "epochs (\"3e\") or updates (\"5000u\")";
constexpr const char* kAutoLengthPattern = "^(auto|[0-9]+(\\.[0-9]+)?e|[0-9]+u)$";
constexpr const char* kAutoLengthWords = "auto, epochs (\"3e\") or updates (\"5000u\")";

}  // namespace

std::vector<Field> train_fields() {
  FieldTable<TrainConfig> table("train", &Config::train);
  table
      .add("seed", &TrainConfig::seed,
           "Seed of every random choice. Initial weights, the order of the rows, noise, dropout "
           "and the split for validation.")
      .between(0, 4294967295.0);
  table
      .add("length", &TrainConfig::length,
           "How long to train. \"3e\": epochs, \"5000u\": updates. auto: as many epochs as make "
           "2,000 updates, but at least 3 and at most 30.")
      .matches(kAutoLengthPattern, kAutoLengthWords)
      .also_called({"epochs", "num_epochs", "max_epochs", "steps", "max_steps", "updates"});
  table.add("batch_size", &TrainConfig::batch_size, "Texts per update.")
      .between(1, 1048576)
      .in("texts");
  table
      .add("sort_window", &TrainConfig::sort_window,
           "Batches whose rows are sorted by length together. Texts of one batch are then about "
           "equally long, which saves time. 0 or 1: no sorting.")
      .between(0, 1000000)
      .in("batches");
  table.add("learning_rate", &TrainConfig::learning_rate, "Learning rate of AdamW, at its highest.")
      .above(0)
      .between(0, 10)
      .also_called({"lr"});
  table.add("beta1", &TrainConfig::beta1, "AdamW's decay of the mean gradient.")
      .at_least(0)
      .below(1);
  table.add("beta2", &TrainConfig::beta2, "AdamW's decay of the mean squared gradient.")
      .at_least(0)
      .below(1);
  table.add("epsilon", &TrainConfig::epsilon, "AdamW's term against division by 0.")
      .above(0)
      .between(0, 1)
      .also_called({"eps"});
  table
      .add("weight_decay", &TrainConfig::weight_decay,
           "AdamW's weight decay, on matrices only. 0: none.")
      .between(0, 10);
  table
      .add("warmup", &TrainConfig::warmup,
           "How long the learning rate rises from 0. \"200u\": updates, \"0.5e\": epochs, \"0u\": "
           "not at all. auto: 200 updates, but at most a tenth of the run.")
      .matches(kAutoLengthPattern, kAutoLengthWords)
      .also_called({"warmup_steps"});
  table
      .add("schedule", &TrainConfig::schedule,
           "Course of the learning rate after the warm-up. constant, or down to 0 at the end along "
           "a line or a cosine.")
      .also_called({"scheduler"});
  table
      .add("clip_norm", &TrainConfig::clip_norm,
           "Largest norm of the gradient of all weights; a longer one is scaled down. 0: off.")
      .at_least(0)
      .also_called({"grad_clip", "max_grad_norm", "clip"});
  table
      .add("label_smoothing", &TrainConfig::label_smoothing,
           "Part of the target spread evenly over all classes. 0: none.")
      .at_least(0)
      .below(1);
  table
      .add("ema_decay", &TrainConfig::ema_decay,
           "Decay of the running average of the weights, per update. The average is what is "
           "evaluated and saved as the model. 0: off.")
      .at_least(0)
      .below(1);
  table
      .add("evaluate_every", &TrainConfig::evaluate_every,
           "How often to validate and save a checkpoint. \"1e\": each epoch, \"500u\": each 500 "
           "updates. The end of training always does.")
      .matches(kLengthPattern, kLengthWords)
      .also_called({"eval_every", "eval_steps"});
  table
      .add("patience", &TrainConfig::patience,
           "Evaluations without improvement after which training stops. 0: off.")
      .between(0, 1000000)
      .in("evaluations")
      .also_called({"early_stopping"});
  table
      .add("keep_checkpoints", &TrainConfig::keep_checkpoints,
           "How many of the newest checkpoints stay on disk. The best one always stays.")
      .between(1, 1000000)
      .in("checkpoints");
  table.add("log_every", &TrainConfig::log_every, "How often to report the loss.")
      .between(1, 1000000000)
      .in("updates");
  table
      .add("device", &TrainConfig::device,
           "Where to compute. auto: the first CUDA device if there is one, else the CPU. "
           "\"cuda:1\": the second CUDA device.")
      .matches("^(auto|cpu|cuda(:[0-9]{1,3})?)$", "auto, cpu, cuda or cuda:INDEX");
  table.add("threads", &TrainConfig::threads, "CPU threads. 0: all cores.")
      .between(0, 4096)
      .in("threads");
  return table.take();
}

}  // namespace diffuse
