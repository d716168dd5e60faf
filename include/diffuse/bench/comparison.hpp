#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "diffuse/bench/contender.hpp"
#include "diffuse/bench/timing.hpp"
#include "diffuse/bench/workload.hpp"
#include "diffuse/eval/paired_comparison.hpp"

namespace diffuse {

/// What the models are made to do.
struct BenchCase {
  BenchMode mode = BenchMode::train;
  std::int64_t batch_size = 32;
  std::int64_t seq_len = 64;  ///< tokens of every text; 0: real texts at their lengths
  std::string device = "cpu";
  int threads = 1;  ///< of the CPU
};

/// Peak memory of a process that did nothing but one case.
struct MemoryFigures {
  std::int64_t rss_growth_bytes = 0;  ///< over what the program holds without a model
  std::int64_t allocated_bytes = 0;   ///< by tensors, CUDA only
  std::int64_t reserved_bytes = 0;    ///< by the caching allocator, CUDA only
  std::string out_of_memory;          ///< what was asked for, where it did not fit; then all are 0

  /// Allocated on CUDA, the growth on the CPU.
  std::int64_t peak_bytes() const {
    return allocated_bytes > 0 ? allocated_bytes : rss_growth_bytes;
  }
};

/// One model in one case at one precision.
struct Measurement {
  std::string precision;
  std::string kernel;   ///< that ran: "fused", "SDPA"; empty where none has
  std::string not_run;  ///< why, with the estimate; then there are no figures below
  std::vector<double> samples_s;
  std::int64_t warm_up_calls = 0;
  double tokens_a_call = 0;
  double examples_a_call = 0;
  std::optional<double> flops_a_call;
  std::optional<MemoryFigures> memory;

  bool ran() const { return !samples_s.empty(); }
  double median_s() const;
  double mean_s() const;
  double deviation_s() const;  ///< of a sample; 0 for fewer than two
  double p95_s() const;
};

/// What a call of a case took when a precision was tried, after a warm-up.
struct TriedPrecision {
  Precision precision = Precision::fp32;
  std::optional<double> call_s;  ///< nothing where not even a small call could be made
  bool estimated = false;        ///< by its operations, from a call of the size below
  std::int64_t texts = 0;
  std::int64_t tokens = 0;  ///< of each text, a mean of real ones
};

/// One model in one case.
struct ModelResult {
  std::vector<Measurement> measurements;  ///< a precision each
  /// What the precision was chosen by, or whether it could be run.
  std::vector<TriedPrecision> tried{};
};

struct CaseResult {
  BenchCase which;
  std::vector<ModelResult> models;  ///< in the comparison's order: ours first
};

/// The measurement with the smallest median; null where none ran.
const Measurement* fastest(const ModelResult& model);
/// The least peak memory of the measurements that were made; nothing where there is none.
std::optional<double> least_memory_bytes(const ModelResult& model);

/// A quotient with the standard deviation that those of its parts give it.
struct Ratio {
  double value = 0;
  double deviation = 0;
};
/// How many times as long the other's call takes; nothing where one did not run.
std::optional<Ratio> time_ratio(const ModelResult& ours, const ModelResult& other);
/// How many times as much memory; nothing where one was not measured.
std::optional<double> memory_ratio(const ModelResult& ours, const ModelResult& other);

/// What is to be known of a contender beside its times.
struct ContenderFacts {
  std::string name;
  std::string kind;     ///< "attention-free diffusion, dim 64, 2 steps"
  std::string weights;  ///< "random", "checkpoint runs/r8", "pretrained DIR"
  std::int64_t parameter_count = 0;
  bool extended_positions = false;  ///< more of them than the model has been made for
  /// Ours against it; nothing where one of the two is not trained.
  std::optional<PairedComparison> accuracy{};
};

struct Comparison {
  std::vector<ContenderFacts> models;  ///< ours first, then those it is compared with
  std::vector<CaseResult> cases;
  std::int64_t epoch_rows = 0;  ///< of the training file; 0: not known
  std::string text_source;      ///< of cases with real texts
  std::string accuracy_source;  ///< file of the paired tests
  std::vector<std::string> warnings;
  std::vector<std::pair<std::string, std::string>> environment;
  double elapsed_s = 0;
  int stopped_by = 0;  ///< number of the signal before which the cases were measured; 0: all were
};

/// What to run.
struct BenchPlan {
  std::vector<ContenderSpec> models;  ///< ours first, and one more at least
  std::vector<BenchCase> cases;
  std::vector<Precision> precisions;  ///< empty: each model's fastest one, tried for each case
  TimingOptions timing;
  double budget_s = 60;  ///< a case that would take longer is not run
  bool memory = true;    ///< whether memory is measured, by a process of its own each
  /// Of cases with real texts (`seq_len` 0), by batch size; may be empty.
  std::function<std::vector<Workload>(std::int64_t)> texts;
  std::function<void(const std::string&, double)> on_progress;  ///< what, and the share done
};

/// Runs the plan's cases. Fills the models' parameter counts, cases and warnings. Throws what
/// making the models throws. A caught stop signal (base/signals.hpp) ends it with the cases that
/// are whole.
Comparison run_comparison(const BenchPlan& plan);

}  // namespace diffuse
