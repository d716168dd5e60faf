#pragma once

#include <string>

namespace CLI {
class App;
}

namespace diffuse::cli {

struct SelftestOptions {
  std::string device = "auto";
  bool json = false;
  bool speed = false;
};

/// Declares the verb `selftest`; parsing fills `options`, which must outlive the parser.
CLI::App* setup_selftest(CLI::App& app, SelftestOptions& options);
/// Compares the program's own operations on a device with LibTorch's and prints how far they are
/// off. Returns the exit code: that of failed work where one is too far.
int run_selftest(const SelftestOptions& options);

}  // namespace diffuse::cli
