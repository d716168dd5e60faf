#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "train.hpp"

namespace CLI {
class App;
}

namespace diffuse::cli {

struct GridOptions {
  std::string grid;                   ///< file of the values; empty: none
  std::vector<std::string> vary;      ///< "key=value,value"
  std::optional<std::int64_t> seeds;  ///< of each combination
  bool test = false;                  ///< the best combination answers the test rows
  bool keep_checkpoints = false;      ///< of all runs
  TrainOptions training;              ///< the flags that `train` has, too
};

/// Declares the verb `grid`; parsing fills `options`, which must outlive the parser.
CLI::App* setup_grid(CLI::App& app, GridOptions& options);
/// Trains each combination of values with each seed, compares them on the validation rows and
/// prints a table, as JSON where that is asked for. With --resume goes on with what is not
/// finished. Returns the exit code. Throws as `run_train` does.
int run_grid(const GridOptions& options);

}  // namespace diffuse::cli
