#include "task_data.hpp"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <functional>
#include <vector>

#include "choices.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/base/files.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/base/progress.hpp"
#include "diffuse/base/signals.hpp"
#include "diffuse/base/system.hpp"
#include "diffuse/base/thread_limit.hpp"
#include "diffuse/base/worker_pool.hpp"
#include "diffuse/tasks/ordered_rows.hpp"
#include "exit_code.hpp"
#include "output.hpp"
#include "task_folder.hpp"
#include "task_report.hpp"

namespace diffuse::cli {
namespace {

void add_task_output(CLI::App& verb, TaskOutput& output, SplitRows& rows, std::uint64_t& seed) {
  constexpr std::int64_t kMostRows = 1'000'000'000;
  constexpr std::uint64_t kMostSeed = 4'294'967'295;
  verb.add_option("--out", output.out, "Folder for the files, new or empty")
      ->type_name("DIR")
      ->required();
  verb.add_flag("--overwrite", output.overwrite,
                "Replace what this verb has made in the folder before");
  verb.add_option("--seed", seed, "The same seed gives the same bytes, on any number of threads")
      ->check(CLI::Range(std::uint64_t{0}, kMostSeed))
      ->option_text("N=1");
  const auto add_rows = [&](const char* name, std::int64_t& count, const char* what) {
    verb.add_option(name, count, what)
        ->check(CLI::Range(std::int64_t{0}, kMostRows))
        ->option_text(fmt::format("N={}", count));
  };
  add_rows("--train-rows", rows.train, "Rows of the training file; 0: none");
  add_rows("--validation-rows", rows.validation, "Rows of the validation file");
  add_rows("--test-rows", rows.test, "Rows of the test file");
  verb.add_option("--threads", output.threads, "Threads of the CPU; 0 takes all cores")
      ->check(CLI::Range(std::int64_t{0}, kMostThreads))
      ->option_text("N=0");
  verb.add_flag("--json", output.json, "Print one JSON object");
}

CLI::App* setup_listops(CLI::App& data, TaskDataOptions& options) {
  CLI::App* verb = data.add_subcommand(
      "listops", "Nested operations on digits, 500 to 2,000 tokens long: what is the value?");
  ListOpsTask& task = options.listops;
  task.seed = 1;
  add_task_output(*verb, options.listops_output, task.rows, task.seed);
  verb->add_option("--min-length", task.rules.min_tokens, "Fewest tokens of an expression")
      ->check(CLI::Range(1, 100'000))
      ->option_text("N=501");
  verb->add_option("--max-length", task.rules.max_tokens, "Most tokens of an expression")
      ->check(CLI::Range(1, 100'000))
      ->option_text("N=1999");
  verb->add_option("--max-depth", task.rules.max_depth,
                   "Most levels of the tree; the last has digits alone")
      ->check(CLI::Range(1, 100))
      ->option_text("N=10");
  verb->add_option("--max-args", task.rules.max_arguments, "Most arguments of an operation")
      ->check(CLI::Range(2, 1000))
      ->option_text("N=10");
  verb->add_option("--notation", task.notation,
                   "words: MAX 2 9 X, a word each token; brackets: [MAX 2 9 ]; arena: the round "
                   "brackets and columns of the arena's own files")
      ->transform(one_of<ListOpsNotation>({{"words", ListOpsNotation::words},
                                           {"brackets", ListOpsNotation::brackets},
                                           {"arena", ListOpsNotation::arena}}))
      ->option_text("words|brackets|arena=words");
  verb->footer(
      "Examples:\n"
      "  diffuse data listops --out data/listops\n"
      "  diffuse data listops --out short --min-length 50 --max-length 200 --max-depth 5\n");
  return verb;
}

CLI::App* setup_pathfinder(CLI::App& data, TaskDataOptions& options) {
  CLI::App* verb = data.add_subcommand(
      "pathfinder",
      "Pictures of 32 x 32 pixels: do two discs lie on the ends of one dashed contour?");
  PathfinderTask& task = options.pathfinder;
  task.seed = 1;
  add_task_output(*verb, options.pathfinder_output, task.rows, task.seed);
  verb->add_option("--contour-length", options.contour_length,
                   "Dashes of a contour: 6, 9 and 14 are the arena's easy, middle and hard set")
      ->check(CLI::Range(1, 14))
      ->option_text("N=14");
  verb->add_option("--min-contour-length", options.min_contour_length,
                   "Rows differ: each has a number of dashes from this one to --contour-length")
      ->check(CLI::Range(1, 14))
      ->option_text("N");
  verb->add_option("--distractors", options.distractors,
                   "Shorter contours that distract; default: the arena's, 20 dashes together")
      ->check(CLI::Range(0, 20))
      ->option_text("N");
  verb->footer(
      "Examples:\n"
      "  diffuse data pathfinder --out data/pathfinder\n"
      "  diffuse data pathfinder --out easy --contour-length 6 --train-rows 20000\n"
      "  diffuse data pathfinder --out pairs --min-contour-length 3 --contour-length 6 "
      "--distractors 0\n");
  return verb;
}

std::vector<PathfinderRules> rules_of(const TaskDataOptions& options) {
  const int least = options.min_contour_length.value_or(options.contour_length);
  if (least > options.contour_length)
    throw UsageError(fmt::format("--min-contour-length {} is above --contour-length {}.", least,
                                 options.contour_length));
  std::vector<PathfinderRules> all;
  for (int length = least; length <= options.contour_length; ++length) {
    all.push_back(pathfinder_rules(length));
    all.back().distractors = options.distractors.value_or(all.back().distractors);
  }
  return all;
}

/// Shows how far the work is, and ends it where a signal asks for that.
class TaskProgress {
 public:
  explicit TaskProgress(std::int64_t rows) : rows_(rows) {}

  void row(Split split, std::int64_t done, std::int64_t of_file) {
    ++done_;
    throw_if_stopped();
    // Rows come many at a time: only behind the last of these does their number tell the pace.
    if ((done % kRowsAtOnce != 0 && done != of_file) || !line_.due()) return;
    const double left = remaining_s(steady_now_s() - start_, static_cast<double>(done_),
                                    static_cast<double>(rows_));
    line_.update(fmt::format("{}  {} of {} rows  {:.0f} %  {} left", split_name(split),
                             format_count(done), format_count(of_file),
                             100.0 * static_cast<double>(done_) / static_cast<double>(rows_),
                             format_duration(left)));
  }

 private:
  std::int64_t rows_;
  std::int64_t done_ = 0;
  double start_ = steady_now_s();
  ProgressLine line_{};
};

/// Makes the files of `task` by `write` beside their place, and puts the whole folder there.
template <class Task, class Write>
int make_files(const Task& task, const TaskOutput& output, const Write& write) {
  catch_stop_signals();
  ignore_write_signals();
  check_task_folder(output);
  if (task.rows.all() == 0)
    throw UsageError(
        "--train-rows, --validation-rows and --test-rows are all 0: there is nothing to make.");
  WorkerPool pool(output.threads > 0 ? output.threads : available_cores());
  const double start = steady_now_s();
  std::string text;
  try {
    FolderWriter writer(output.out);
    TaskProgress progress(task.rows.all());
    log::info("making {} rows on {} {}", format_count(task.rows.all()), pool.threads(),
              pool.threads() == 1 ? "thread" : "threads");
    const auto files = write(task, writer.folder(), pool,
                             [&](Split split, std::int64_t done, std::int64_t of_file) {
                               progress.row(split, done, of_file);
                             });
    const std::string dataset = dataset_json(task, files);
    write_file_atomically(writer.folder() / kDatasetFile, dataset);
    writer.publish();
    const TaskMaking making{
        .out = output.out, .seconds = steady_now_s() - start, .threads = pool.threads()};
    text = output.json ? making_json(dataset, making) : making_text(task, files, making);
  } catch (const SystemError& error) {
    throw SystemError(fmt::format(
        "--out {}: {} Nothing is left of the files; make room, name another folder, or ask for "
        "fewer rows.",
        output.out, error.what()));
  }
  write_output(text);
  return kDone;
}

void check_listops(const ListOpsRules& rules) {
  if (rules.min_tokens > rules.max_tokens)
    throw UsageError(fmt::format("--min-length {} is above --max-length {}.", rules.min_tokens,
                                 rules.max_tokens));
  if (const std::int64_t longest = longest_listops(rules); longest < rules.min_tokens)
    throw UsageError(fmt::format(
        "--min-length {}: with --max-depth {} and --max-args {} the longest expression has {} "
        "tokens; expected a smaller length, more levels or more arguments.",
        rules.min_tokens, rules.max_depth, rules.max_arguments, longest));
}

}  // namespace

CLI::App* setup_task_data(CLI::App& app, TaskDataOptions& options) {
  CLI::App* verb =
      app.add_subcommand("data", "Make the data of tasks that need no download, from a seed");
  options.listops_verb = setup_listops(*verb, options);
  options.pathfinder_verb = setup_pathfinder(*verb, options);
  verb->require_subcommand(0, 1);
  verb->footer(
      "Examples:\n"
      "  diffuse data listops --out data/listops\n"
      "  diffuse data pathfinder --out data/pathfinder --train-rows 20000\n\n"
      "Each task has its own help: diffuse data listops --help\n");
  return verb;
}

int run_task_data(const TaskDataOptions& options) {
  if (options.listops_verb->parsed()) {
    check_listops(options.listops.rules);
    return make_files(options.listops, options.listops_output, write_listops);
  }
  if (options.pathfinder_verb->parsed()) {
    PathfinderTask task = options.pathfinder;
    task.rules = rules_of(options);
    return make_files(task, options.pathfinder_output, write_pathfinder);
  }
  throw UsageError(
      "data: no task is named; expected listops or pathfinder.\nTry: diffuse data --help");
}

}  // namespace diffuse::cli
