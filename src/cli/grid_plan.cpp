#include "grid_plan.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "diffuse/base/error.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/data/loading.hpp"
#include "diffuse/data/records.hpp"
#include "diffuse/device/device.hpp"
#include "diffuse/model/model_factory.hpp"
#include "train_config.hpp"

namespace diffuse::cli {
namespace {

/// Flags that say what a new grid is made of, beside --resume, which takes all that from the
/// folder.
void check_grid_flags(const GridOptions& options) {
  if (options.training.resume.empty()) {
    if (options.grid.empty() && options.vary.empty() && options.seeds.value_or(1) < 2)
      throw UsageError(
          "There is nothing to compare: give values to combine (--grid FILE, --vary "
          "model.dim=64,128), or --seeds N for several seeds of one config.");
    return;
  }
  std::vector<std::string> given;
  if (!options.grid.empty()) given.emplace_back("--grid");
  if (!options.vary.empty()) given.emplace_back("--vary");
  if (options.keep_checkpoints) given.emplace_back("--keep-checkpoints");
  if (given.empty()) return;
  throw UsageError(fmt::format(
      "--resume goes on with the combinations that the folder has; {} cannot stand beside it.",
      join(given, ", ")));
}

void check_test_rows(const GridOptions& options, const Config& base) {
  if (!options.test || !base.data.test.empty() || base.data.test_fraction > 0) return;
  throw UsageError(
      "--test: the config names no test rows; --set data.test=FILE or --set "
      "data.test_fraction=0.2 does.");
}

/// What can be found wrong with a combination beside its config.
void check_combinations(Grid& grid) {
  std::vector<std::string> faults;
  for (GridPoint& point : grid.points) {
    try {
      check_data_settings(point.config);
      resolve_device(point.config.train.device);
      take_pretrained_sizes(point.config);
    } catch (const Error& error) {
      faults.push_back(fmt::format("{} (with {})", error.what(), grid_point_text(point)));
    }
  }
  if (!faults.empty()) throw UsageError(join(faults, "\n"));
}

}  // namespace

Config GridPlan::config(std::size_t combination, std::int64_t seed) const {
  Config config = grid.points[combination].config;
  config.train.seed = seed;
  return config;
}

RowParts GridPlan::training_parts() const {
  RowParts own = parts;
  own.test.assign(own.test.size(), false);
  return own;
}

std::vector<bool> GridPlan::validation(std::int64_t seed) const {
  if (!rows) return {};
  return choose_validation(*rows, base.data.validation_fraction, seed);
}

GridPlan plan_grid(const GridOptions& options) {
  check_grid_flags(options);
  const std::string& resume = options.training.resume;
  GridPlan plan{.base = checked_config(options.training), .settings = {}, .grid = {}, .parts = {}};
  check_test_rows(options, plan.base);
  check_read_again(plan.base.data.train);
  if (resume.empty()) {
    plan.settings = {options.seeds.value_or(1), options.keep_checkpoints};
    plan.grid = read_grid(options.grid, options.vary, plan.base);
  } else {
    plan.settings = read_stored_grid(resume, plan.base, plan.grid);
    const std::int64_t seeds = options.seeds.value_or(plan.settings.seeds);
    if (seeds < plan.settings.seeds)
      throw UsageError(fmt::format("--seeds {}: the grid has {} seeds; expected at least as many.",
                                   seeds, plan.settings.seeds));
    plan.settings.seeds = seeds;
  }
  check_combinations(plan.grid);
  if (plan.base.data.test_fraction > 0)
    plan.parts = split_off_test(read_labelled_rows(plan.base.data), plan.base.data.test_fraction,
                                plan.base.train.seed);
  plan.rows = shared_rows(plan.base, plan.grid, plan.parts);
  return plan;
}

}  // namespace diffuse::cli
