#pragma once

namespace CLI {
class App;
}

namespace diffuse::cli {

struct VersionOptions {
  bool json = false;
};

/// Declares the verb `version`; parsing fills `options`, which must outlive the parser.
CLI::App* setup_version(CLI::App& app, VersionOptions& options);
/// Prints what this program was built from and what it found. Returns the exit code.
int run_version(const VersionOptions& options);

}  // namespace diffuse::cli
