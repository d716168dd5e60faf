#include "run_start.hpp"

#include "diffuse/base/error.hpp"
#include "diffuse/base/files.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/config/load.hpp"
#include "manifest.hpp"

namespace diffuse::cli {
namespace fs = std::filesystem;

void start_run_directory(const fs::path& run_dir, const PreparedRun& run, const RunFacts& facts) {
  write_file_atomically(run_dir / "config.json", config_json(run.config) + "\n");
  write_file_atomically(run_dir / "manifest.json", manifest_json(facts, run.config));
}

void write_or_warn(const char* what, const std::function<void()>& write) {
  try {
    write();
  } catch (const SystemError& error) {
    log::warning("{}: {}", what, error.what());
  }
}

void resume_run_directory(const fs::path& run_dir, const PreparedRun& run, const RunFacts& facts) {
  const fs::path manifest = run_dir / "manifest.json";
  const std::string noted = resumed_manifest_json(manifest, facts, run.config);
  write_or_warn("A further resume will take the run's configuration from before this one", [&] {
    write_file_atomically(run_dir / "config.json", config_json(run.config) + "\n");
  });
  write_or_warn("The run's manifest does not tell of this resume",
                [&] { write_file_atomically(manifest, noted); });
}

}  // namespace diffuse::cli
