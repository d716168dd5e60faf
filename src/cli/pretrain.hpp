#pragma once

#include <optional>
#include <string>
#include <vector>

#include "train.hpp"

namespace CLI {
class App;
}

namespace diffuse::cli {

struct PretrainOptions {
  std::vector<std::string> texts;     ///< pretrain.texts
  std::optional<std::string> length;  ///< train.pretrain
  TrainOptions training;              ///< the flags that `train` has, too
};

/// Declares the verb `pretrain`; parsing fills `options`, which must outlive the parser.
CLI::App* setup_pretrain(CLI::App& app, PretrainOptions& options);
/// Learns from texts alone and prints where the weights are, as JSON where that is asked for.
/// Returns the exit code.
int run_pretrain(const PretrainOptions& options);

}  // namespace diffuse::cli
