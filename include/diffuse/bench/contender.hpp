#pragma once

#include <c10/core/Device.h>

#include <memory>
#include <string>

#include "diffuse/config/config.hpp"
#include "diffuse/model/classifier.hpp"
#include "diffuse/model/model_factory.hpp"

namespace diffuse {

enum class BenchMode { train, inference };
/// "train", "inference".
const char* bench_mode_name(BenchMode mode);

/// A model to measure, so that another process can make the same one.
struct ContenderSpec {
  std::string name;
  Config config;
  ModelShape shape;
  std::string checkpoint;  ///< its weights; empty: random ones, or `distilbert.pretrained`
  /// A model of random weights that has some for each place of its longest text (Linformer) is made
  /// for the length of a case, not for the longest of all: they would cost each of them.
  bool made_for_each_length = false;

  /// For another process, whose `from_json` gives the same again.
  std::string to_json() const;
  /// Throws DataError (`place`) for what is no contender.
  static ContenderSpec from_json(const std::string& text, const std::string& place);
};

/// A model at work: one call is one training step as `diffuse train` makes it, or one forward pass
/// as `predict` makes it.
class Contender {
 public:
  /// Makes the model, or reads its checkpoint, and moves it to `device`.
  Contender(const ContenderSpec& spec, at::Device device);
  ~Contender();
  Contender(const Contender&) = delete;
  Contender& operator=(const Contender&) = delete;

  /// What `run` does from now on. `precision` must be resolved. A training step has an optimizer
  /// of its own, which is made here and lives until the next `prepare`.
  void prepare(BenchMode mode, Precision precision);
  /// One call; returns when the device is done. Throws Stopped, before its work or between the
  /// phases of a training step, where a stop signal was caught; no further call is of use then.
  void run(const Batch& batch);

  std::int64_t parameter_count() const;
  at::Device device() const;
  /// What computes the model since the last `prepare` (ModelDescription::kernel_name).
  std::string kernel() const;
  const Classifier& classifier() const { return *classifier_; }

 private:
  class Training;
  Config config_;
  std::unique_ptr<Classifier> classifier_;
  std::unique_ptr<Training> training_;  // null in inference
  Precision precision_ = Precision::fp32;
};

}  // namespace diffuse
