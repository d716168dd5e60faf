#include "diffuse/base/thread_limit.hpp"
#include "field.hpp"

namespace diffuse {
namespace {

constexpr const char* kLengthPattern = "^([0-9]+(\\.[0-9]+)?e|[0-9]+u)$";
constexpr const char* kLengthWords = "epochs (\"3e\") or updates (\"5000u\")";
constexpr const char* kTimedLengthPattern = "^([0-9]+(\\.[0-9]+)?[em]|[0-9]+u)$";
constexpr const char* kTimedLengthWords =
    "epochs (\"3e\"), updates (\"5000u\") or minutes (\"30m\")";
constexpr const char* kNoneOrTimedPattern = "^(|[0-9]+(\\.[0-9]+)?[em]|[0-9]+u)$";
constexpr const char* kNoneOrTimedWords =
    "epochs (\"11e\"), updates (\"20000u\"), minutes (\"10m\") or nothing";
constexpr const char* kAutoLengthPattern = "^(auto|[0-9]+(\\.[0-9]+)?e|[0-9]+u)$";
constexpr const char* kAutoLengthWords = "auto, epochs (\"3e\") or updates (\"5000u\")";
constexpr const char* kRunLengthPattern = "^(auto|[0-9]+(\\.[0-9]+)?[em]|[0-9]+u)$";
constexpr const char* kRunLengthWords =
    "auto, epochs (\"3e\"), updates (\"5000u\") or minutes (\"30m\")";

}  // namespace

std::vector<Field> train_fields() {
  FieldTable<TrainConfig> table("train", &Config::train);
  table
      .add("seed", &TrainConfig::seed,
           "Seed of every random choice. Initial weights, the order of the rows, noise, dropout "
           "and the split for validation.")
      .between(0, 4294967295.0);
  table
      .add("init", &TrainConfig::init,
           "Checkpoint whose weights this run begins with. Those of another shape, and the head "
           "where the classes differ, begin as usual; words are found by their name. Empty: none.")
      .is_path()
      .also_called({"initial_checkpoint", "warm_start", "finetune_from"});
  table
      .add("pretrain", &TrainConfig::pretrain,
           "How long to learn from the texts alone before the labels. \"11e\": epochs, "
           "\"20000u\": updates, \"10m\": minutes of wall-clock time. How: the section pretrain. "
           "Empty: not at all.")
      .matches(kNoneOrTimedPattern, kNoneOrTimedWords)
      .also_called({"pretrain_epochs", "pretraining"});
  table
      .add("length", &TrainConfig::length,
           "How long to train. \"3e\": epochs, \"5000u\": updates, \"30m\": minutes of wall-clock "
           "time. auto: as many epochs as make 2,000 updates, but at least 3 and at most 30. The "
           "schedule of the learning rate follows it.")
      .matches(kRunLengthPattern, kRunLengthWords)
      .may_change_on_resume()
      .also_called({"epochs", "num_epochs", "max_epochs", "steps", "max_steps", "updates"});
  table
      .add(
          "max_updates", &TrainConfig::max_updates,
          "Stops after so many updates, if train.length is not reached before. The schedule of the "
          "learning rate does not change. 0: off.")
      .between(0, 1e15)
      .in("updates")
      .may_change_on_resume()
      .also_called({"stop_after"});
  table.add("batch_size", &TrainConfig::batch_size, "Texts in a batch.")
      .between(1, 1048576)
      .in("texts");
  table
      .add(
          "batch_tokens", &TrainConfig::batch_tokens,
          "Most tokens in a batch, which then has fewer texts than train.batch_size where they are "
          "long. A longer text has a batch of its own. 0: no limit. With one, an epoch counts as "
          "many updates as the first one takes.")
      .between(0, 2147483647)
      .in("tokens")
      .also_called({"max_tokens_per_batch", "token_budget"});
  table
      .add("accumulate", &TrainConfig::accumulate,
           "Batches whose gradients make one update. The update is that of one batch of all their "
           "texts, in the memory of one of them.")
      .between(1, 65536)
      .in("batches")
      .also_called({"gradient_accumulation_steps", "accumulate_grad_batches"});
  table
      .add("sort_window", &TrainConfig::sort_window,
           "Batches whose rows are sorted by length together. Texts of one batch are then about "
           "equally long, which saves time. 0 or 1: no sorting.")
      .between(0, 1000000)
      .in("batches");
  table
      .add("overfit_batch", &TrainConfig::overfit_batch,
           "For debugging: every update sees the first batch of the first epoch. A model that can "
           "learn at all then brings its loss to almost 0 (without dropout and label smoothing).")
      .also_called({"overfit_batches", "overfit"});
  table.add("learning_rate", &TrainConfig::learning_rate, "Learning rate of AdamW, at its highest.")
      .above(0)
      .between(0, 10)
      .also_called({"lr"});
  table
      .add(
          "embedding_lr_factor", &TrainConfig::embedding_lr_factor,
          "The embedding's learning rate, as a multiple of train.learning_rate. -1: 0.05 where it "
          "begins as it was learned before (train.pretrain, train.init) and there are 20,000 words "
          "or more, else 1. 0: it stays as it is. Pairs of words (model.bigram_buckets) have the "
          "others' rate.")
      .between(-1, 1000);
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
      .add("embedding_weight_decay", &TrainConfig::embedding_weight_decay,
           "AdamW's weight decay on the embedding. 0: none.")
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
           "Part of the target spread evenly over all classes; with data.label_separator, part of "
           "each label's target drawn to its share of the training rows. 0: none.")
      .at_least(0)
      .below(1);
  table
      .add(
          "adversarial", &TrainConfig::adversarial,
          "Size of the adversarial step, as a part of the norm of a text's embeddings: each batch "
          "is trained on a second time, with its embeddings moved so far in the direction in which "
          "the loss rises. 0: none, 0.05 is a good start.")
      .between(0, 10)
      .also_called({"adversarial_epsilon"})
      .only_for(with_own_embedding());
  table.add("picture_flip", &TrainConfig::picture_flip,
            "Whether training mirrors half of the pictures, left for right, at random. For pixels "
            "(data.format), where a mirrored picture has the same label.");
  table
      .add("picture_shift", &TrainConfig::picture_shift,
           "Most pixels that training moves a picture up or down and left or right, at random; its "
           "edge is repeated. For pixels (data.format). 0: none.")
      .between(0, 16)
      .in("pixels");
  table
      .add("soft_label_weight", &TrainConfig::soft_label_weight,
           "Share of a row's soft label (data.soft_labels) in its target. The rest is its label, "
           "smoothed; a row without a label has the soft one alone.")
      .between(0, 1)
      .also_called({"distillation_weight"});
  table
      .add(
          "class_weights", &TrainConfig::class_weights,
          "How much a training row counts in the loss by its class. balanced: n / (C x n_c), with "
          "n rows in all, C classes that have any and n_c of this class. {\"spam\": 2}: by name, "
          "a class that is not named has 1. The loss of an update is the mean weighted so, divided "
          "by the sum of its rows' weights. Validation and test count every row once.")
      .also_called({"class_weight"});
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
      .add("metric", &TrainConfig::metric,
           "The figure of the validation rows that chooses the best checkpoint and that "
           "train.patience waits for. Equal ones are told apart by the lower loss.")
      .also_called({"metric_for_best_model", "monitor", "best_metric"});
  table
      .add("patience", &TrainConfig::patience,
           "Evaluations without improvement after which training stops. 0: off.")
      .between(0, 1000000)
      .in("evaluations")
      .may_change_on_resume()
      .also_called({"early_stopping"});
  table
      .add("min_gain", &TrainConfig::min_gain,
           "How much train.metric must improve to count as an improvement for train.patience. A "
           "fraction for accuracy and macro_f1 (0.001 is a tenth of a percent).")
      .between(0, 1000)
      .also_called({"min_delta", "early_stopping_epsilon", "early_stopping_threshold"});
  table
      .add(
          "checkpoint_every", &TrainConfig::checkpoint_every,
          "How often to save a checkpoint between evaluations, which always do. \"500u\": each 500 "
          "updates, \"10m\": each 10 minutes, \"0u\": not at all.")
      .matches(kTimedLengthPattern, kTimedLengthWords)
      .may_change_on_resume()
      .also_called({"save_every", "save_steps"});
  table
      .add("keep_checkpoints", &TrainConfig::keep_checkpoints,
           "How many of the newest checkpoints stay on disk. The best one always stays.")
      .between(1, 1000000)
      .in("checkpoints")
      .may_change_on_resume();
  table.add("log_every", &TrainConfig::log_every, "How often to report the loss.")
      .between(1, 1000000000)
      .in("updates")
      .may_change_on_resume();
  table
      .add("tensorboard", &TrainConfig::tensorboard,
           "Whether the figures also go into TensorBoard event files, in the run's folder "
           "tensorboard.")
      .may_change_on_resume();
  table
      .add("kernel", &TrainConfig::kernel,
           "Which code computes the diffusion operator. fused: each text goes through embedding, "
           "all steps and back while it is in the processor's cache (on the CPU, in fp32 or bf16). "
           "operations: one kernel after the other, those of a CUDA device; there is one of each "
           "for the "
           "CPU, to try them. reference: LibTorch's operations. auto: fused on the CPU, operations "
           "on CUDA, reference where neither can be.")
      .may_change_on_resume();
  table.add(
      "embedding_update", &TrainConfig::embedding_update,
      "Which rows of the embedding an update moves. touched: those of the batch's tokens; what the "
      "others miss, the decay of their moments and the steps that these make, is made up for when "
      "they come again. dense: all rows at every update, as AdamW is written down, which takes "
      "time that grows with the vocabulary. Updates are dense, too, with train.kernel = reference, "
      "with the fused kernel where beta1 is not well below the square root of beta2 or where the "
      "run goes on from a checkpoint of dense updates, and with operations in fp16 or where an "
      "update is of several batches; the start-up table tells.");
  table
      .add("precision", &TrainConfig::precision,
           "Number format of the matrix products; with tensor operations also of what they feed. "
           "Weights, their average and the loss are float32 always. tf32: on CUDA only. fp16: with "
           "loss scaling. auto: on CUDA bf16 from 256 channels on and tf32 below (fp16 and fp32 "
           "before compute capability 8.0), on the CPU fp32. On a CPU bf16 pays with the "
           "instructions of avx512_bf16; without them it takes "
           "longer than fp32, and fp16 is slow on every CPU.")
      .also_called({"amp", "mixed_precision", "dtype", "fp16", "bf16"});
  table
      .add("device", &TrainConfig::device,
           "Where to compute. auto: the first CUDA device if there is one, else the CPU. "
           "\"cuda:1\": the second CUDA device.")
      .matches("^(auto|cpu|cuda(:[0-9]{1,3})?)$", "auto, cpu, cuda or cuda:INDEX")
      .may_change_on_resume();
  table.add("threads", &TrainConfig::threads, "CPU threads. 0: all cores.")
      .between(0, kMostThreads)
      .in("threads")
      .may_change_on_resume();
  return table.take();
}

}  // namespace diffuse
