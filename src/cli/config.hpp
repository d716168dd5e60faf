#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace diffuse::cli {

struct ConfigOptions {
  bool defaults = false;
  bool schema = false;
  bool reference = false;
  std::string check;
  std::string show;
  std::vector<std::string> set;
};

/// Declares the verb `config`; parsing fills `options`, which must outlive the parser.
CLI::App* setup_config(CLI::App& app, ConfigOptions& options);
/// Prints or checks configurations. Returns the exit code.
int run_config(const ConfigOptions& options);

}  // namespace diffuse::cli
