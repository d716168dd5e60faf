#include "subrun.hpp"

#include <system_error>

#include "diffuse/base/files.hpp"
#include "diffuse/base/log.hpp"
#include "run_directory.hpp"
#include "startup_table.hpp"
#include "train_result.hpp"

namespace diffuse::cli {
namespace fs = std::filesystem;

std::optional<RunOutcome> train_in(const fs::path& dir, const Config& config, const Subrun& how) {
  std::error_code ignored;
  const bool resumed = !newest_checkpoint(dir).empty();
  if (!resumed) fs::remove_all(dir, ignored);
  PreparedRun run = prepare_run(
      config, {.resumed = resumed ? dir.string() : "", .parts = how.parts, .no_test = how.no_test});
  const RunFacts facts = facts_of(run, how.options, how.start_time);
  if (how.prepared) how.prepared(run, facts);
  create_folders(dir);
  resumed ? resume_run_directory(dir, run, facts) : start_run_directory(dir, run, facts);
  run.startup.run_directory = relative_if_shorter(dir);
  const std::string table = startup_table(run.config, run.data, run.startup);
  log::info("{}{}", how.name, how.brief ? "" : "\n" + table);
  if (how.brief) log::debug("{}", table);
  RunOutcome outcome = train_run(run, dir, {}, Evaluate::always);
  if (outcome.stopped_by != 0) return std::nullopt;
  return outcome;
}

void remove_checkpoints(const fs::path& dir) {
  std::error_code ignored;
  fs::remove_all(dir / "checkpoints", ignored);
}

}  // namespace diffuse::cli
