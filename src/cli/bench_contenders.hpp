#pragma once

#include <memory>
#include <optional>

#include "bench.hpp"
#include "diffuse/bench/comparison.hpp"
#include "diffuse/data/loading.hpp"

namespace diffuse::cli {

/// A model to measure and what is known of its data.
struct OpenedContender {
  ContenderSpec spec;
  ContenderFacts facts;
  std::shared_ptr<const Tokenizer> tokenizer;  ///< null where there are no data to make it from
  Labels labels;
  std::int64_t train_rows = 0;        ///< of its training file; 0: not known
  std::vector<std::string> warnings;  ///< for the report
};

/// The types of models that --compare knows by name: all but those that need a config or a file.
std::vector<ModelType> models_known_by_name();

/// Throws UsageError with all that is wrong with the files that the command line names beside the
/// model itself: found before any data are read.
void check_bench_files(const BenchOptions& options);

/// The model of --config or --checkpoint, with the kernel of --kernel. Throws UsageError, before
/// any data are read, where that cannot run it in one of the cases asked for.
OpenedContender open_ours(const BenchOptions& options);

/// The model `name`, one of `options.compare`: a known one, a TorchScript file, a config or a
/// checkpoint, for the texts and classes of `ours`. At least `longest` positions, where it has any.
OpenedContender open_other(const std::string& name, const BenchOptions& options,
                           const OpenedContender& ours, std::int64_t longest);

/// The configuration of DistilBERT for the data of `config`: that of distilbert-agnews.json, with
/// texts cut at as many tokens as those of `config`, at most its positions.
Config distilbert_baseline(const Config& config);

}  // namespace diffuse::cli
