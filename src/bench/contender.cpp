#include "diffuse/bench/contender.hpp"

#include <nlohmann/json.hpp>

#include "base/json_fields.hpp"
#include "base/json_reader.hpp"
#include "diffuse/base/signals.hpp"
#include "diffuse/base/system.hpp"
#include "diffuse/config/load.hpp"
#include "diffuse/device/device.hpp"
#include "diffuse/device/precision.hpp"
#include "diffuse/eval/evaluator.hpp"
#include "diffuse/model/checkpoint.hpp"
#include "diffuse/model/model_description.hpp"
#include "diffuse/train/time_split.hpp"
#include "train/updater.hpp"

namespace diffuse {
namespace {

constexpr std::int64_t kWeightSeed = 1;
// Every step does the same work, whatever the rate; a small one keeps random texts from diverging.
constexpr double kLearningRate = 1e-6;

/// A model of whole texts: what is timed are texts of any length as they are, also of one that
/// reads them in pieces (tokenizer.long_texts = pool).
std::unique_ptr<Classifier> make(const ContenderSpec& spec) {
  if (!spec.checkpoint.empty())
    return load_model(resolve_checkpoint(spec.checkpoint), LongTexts::cut).classifier;
  Config config = spec.config;
  config.tokenizer.long_texts = LongTexts::cut;
  auto classifier = make_classifier(config, spec.shape, kWeightSeed);
  load_pretrained_weights(*classifier, config);
  return classifier;
}

}  // namespace

const char* bench_mode_name(BenchMode mode) {
  return mode == BenchMode::train ? "train" : "inference";
}

std::string ContenderSpec::to_json() const {
  nlohmann::ordered_json json;
  json["name"] = name;
  json["config"] = nlohmann::ordered_json::parse(config_json(config));
  json["vocab_size"] = shape.vocab_size;
  json["class_count"] = shape.class_count;
  json["mask_id"] = shape.mask_id;
  json["pad_id"] = shape.pad_id;
  json["checkpoint"] = checkpoint;
  return json.dump();
}

ContenderSpec ContenderSpec::from_json(const std::string& text, const std::string& place) {
  const auto json = read_json_object(text, place, "the JSON object of a model to measure");
  const JsonFields fields(json, place);
  ContenderSpec spec;
  spec.name = fields.text("name");
  fields.object("config");  // that there is one
  spec.config = parse_config(json["config"].dump(), place);
  spec.shape.vocab_size = fields.count("vocab_size");
  spec.shape.class_count = fields.count("class_count");
  spec.shape.mask_id = static_cast<std::int32_t>(fields.count("mask_id"));
  spec.shape.pad_id = static_cast<std::int32_t>(fields.count("pad_id"));
  spec.checkpoint = fields.text("checkpoint");
  return spec;
}

/// The optimizer and what it needs between steps.
class Contender::Training {
 public:
  Training(const TrainConfig& config, Precision precision, Classifier& classifier)
      : config_(config),
        updater_(config_, precision, classifier),
        clock_({.now_s = steady_now_s,
                .synchronize = [device = classifier.device()] { synchronize(device); },
                .on_phase = throw_if_stopped},
               kNeverSampled) {}

  void step(const Batch& batch) {
    clock_.begin_update();
    updater_.apply(
        1, batch.size(), [&](std::size_t) { return batch; }, ++update_, kLearningRate, clock_);
    clock_.end_update();
  }

 private:
  // On a GPU the clock would wait at each phase of a sampled update.
  static constexpr std::int64_t kNeverSampled = std::int64_t{1} << 40;
  TrainConfig config_;
  Updater updater_;
  StepClock clock_;
  std::int64_t update_ = 0;
};

Contender::Contender(const ContenderSpec& spec, at::Device device)
    : config_(spec.config), classifier_(make(spec)) {
  classifier_->to(device);
}

Contender::~Contender() = default;

void Contender::prepare(BenchMode mode, Precision precision) {
  precision_ = precision;
  training_.reset();
  if (mode == BenchMode::train)
    training_ = std::make_unique<Training>(config_.train, precision, *classifier_);
  else
    classifier_->use_kernel(config_.train.kernel, precision);
}

void Contender::run(const Batch& batch) {
  throw_if_stopped();
  // For the whole process, and another contender may have had its turn in between.
  if (classifier_->device().is_cuda()) set_matrix_precision(precision_);
  if (training_) {
    training_->step(batch);
  } else {
    ForwardContext context;
    if (classifier_->random_at_evaluation())
      context.generator = make_generator(classifier_->device(), kWeightSeed);
    predict_logits(*classifier_, batch, context, precision_);
  }
  synchronize(classifier_->device());
}

std::int64_t Contender::parameter_count() const { return diffuse::parameter_count(*classifier_); }

at::Device Contender::device() const { return classifier_->device(); }

std::string Contender::kernel() const {
  return description_of(config_).kernel_name(config_, classifier_->kernel(), device(), precision_);
}

}  // namespace diffuse
