#include "subrun.hpp"

#include <system_error>
#include <utility>

#include "diffuse/base/files.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/config/load.hpp"
#include "run_directory.hpp"
#include "startup_table.hpp"
#include "train_result.hpp"

namespace diffuse::cli {
namespace fs = std::filesystem;
namespace {

/// `config` with what the run in `dir` chose by its data when it began, where that is left open.
Config with_own_choices(Config config, const fs::path& dir) {
  const fs::path file = dir / "config.json";
  std::error_code ignored;
  if (config.train.embedding_lr_factor < 0 && fs::is_regular_file(file, ignored))
    config.train.embedding_lr_factor =
        parse_config(read_file(file), file.string()).train.embedding_lr_factor;
  return config;
}

}  // namespace

std::optional<RunOutcome> train_in(const fs::path& dir, const Config& config, const Subrun& how) {
  std::error_code ignored;
  const bool resumed = !newest_checkpoint(dir).empty();
  if (!resumed) fs::remove_all(dir, ignored);
  PreparedRun run = how.ready != nullptr
                        ? std::move(*how.ready)
                        : prepare_run(resumed ? with_own_choices(config, dir) : config,
                                      {.resumed = resumed ? dir.string() : "",
                                       .parts = how.parts,
                                       .validation = how.validation,
                                       .no_test = how.no_test});
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
