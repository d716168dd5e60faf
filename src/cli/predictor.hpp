#pragma once

#include <ATen/core/Generator.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "diffuse/data/records.hpp"
#include "model_options.hpp"
#include "predict_output.hpp"

namespace diffuse::cli {

/// Answers records in batches on stdout, a line each, in their order.
class Predictor {
 public:
  Predictor(OpenedModel& opened, std::int64_t batch_size, OutputForm form);

  void add(Example example);
  /// A record that cannot be used: answered by `message` in its place.
  void add_error(std::string message, std::vector<KeptValue> kept);
  bool full() const;
  /// Writes a line for each record that was added since.
  void flush();
  /// Says how many texts were cut and how many of their words are unknown: a warning where these
  /// are many, else for information.
  void report() const;

 private:
  struct Record {
    std::string text;
    std::string error;  // empty for a usable record
    std::vector<KeptValue> kept;
  };
  struct Encoded {
    std::vector<std::int32_t> tokens;
    std::vector<std::int32_t> offsets{0};
    std::vector<double> unknown_shares;
  };
  Encoded encode(const std::vector<std::string>& texts);
  std::vector<float> logits_of(const Encoded& encoded);

  OpenedModel& opened_;
  std::size_t batch_size_;
  OutputForm form_;
  at::Generator generator_;
  std::vector<Record> records_;
  std::size_t bytes_ = 0;
  std::vector<float> class_logits_;  // of the training rows' shares; empty: not known
  // For the report.
  std::int64_t texts_ = 0;
  std::int64_t cut_texts_ = 0;
  std::int64_t unknown_texts_ = 0;  // of unknown words alone
  std::int64_t tokens_ = 0;
  std::int64_t unknown_tokens_ = 0;
};

}  // namespace diffuse::cli
