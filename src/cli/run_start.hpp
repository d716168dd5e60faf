#pragma once

#include <filesystem>
#include <functional>

#include "prepared_run.hpp"

namespace diffuse::cli {

/// Writes down what a new run is made of.
void start_run_directory(const std::filesystem::path& run_dir, const PreparedRun& run,
                         const RunFacts& facts);

/// Checks that the run's data are still the same and notes who goes on with it, and with what: on a
/// full disk it goes on unnoted. Throws UsageError as resumed_manifest_json does.
void resume_run_directory(const std::filesystem::path& run_dir, const PreparedRun& run,
                          const RunFacts& facts);

/// Runs `write`, which writes a file of the run's: a failure is a warning that begins with `what`.
void write_or_warn(const char* what, const std::function<void()>& write);

}  // namespace diffuse::cli
