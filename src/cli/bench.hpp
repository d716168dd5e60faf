#pragma once

#include <optional>
#include <string>
#include <vector>

#include "diffuse/bench/contender.hpp"

namespace CLI {
class App;
}

namespace diffuse::cli {

enum class BenchFormat { md, csv, json, html };

struct BenchOptions {
  std::string config = "agnews-diffusion.json";
  std::string checkpoint;  ///< instead of a config; empty: none
  std::vector<std::string> set;
  std::vector<std::string> compare = {"distilbert"};
  std::string from;        ///< a report's JSON to be shown again instead of measuring; empty: none
  std::string pretrained;  ///< of DistilBERT or BERT; empty: random weights
  std::string data;        ///< labelled texts to measure with; empty: random ones
  std::vector<BenchMode> modes;
  std::vector<std::int64_t> batch_sizes;
  std::vector<std::int64_t> seq_lens;
  std::vector<Precision> precisions;  ///< empty: each model's fastest one
  std::optional<Kernel> kernel;       ///< of the model, not of the other one; nothing: train.kernel
  std::vector<std::string> devices;
  std::vector<std::int64_t> threads;
  bool sweep = false;
  double budget_s = 60;
  bool no_memory = false;
  BenchFormat format = BenchFormat::md;
  std::string output;           ///< empty: stdout
  bool memory_probe = false;    ///< the process is one that `bench` started
  bool baseline_probe = false;  ///< the process is one that `train --baseline` started
};

/// Declares the verb `bench`; parsing fills `options`, which must outlive the parser.
CLI::App* setup_bench(CLI::App& app, BenchOptions& options);
/// Compares models' speed and memory; the report goes to stdout. Returns the exit code.
int run_bench(const BenchOptions& options);

}  // namespace diffuse::cli
