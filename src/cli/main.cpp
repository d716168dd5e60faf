#include <c10/util/Exception.h>
#include <fcntl.h>
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>
#include <sstream>

#include "bench.hpp"
#include "choices.hpp"
#include "config.hpp"
#include "diffuse/base/build_info.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/base/signals.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/device/device.hpp"
#include "diffuse/device/failure.hpp"
#include "eval.hpp"
#include "evaluation.hpp"
#include "exit_code.hpp"
#include "grid.hpp"
#include "output.hpp"
#include "predict.hpp"
#include "pretrain.hpp"
#include "prune.hpp"
#include "selftest.hpp"
#include "task_data.hpp"
#include "train.hpp"
#include "version.hpp"

namespace diffuse::cli {
namespace {

/// The command line: global flags and the verbs' options.
class CommandLine {
 public:
  explicit CommandLine(std::vector<std::string> arguments) : arguments_(std::move(arguments)) {
    app_.set_version_flag("--version", "diffuse " + build_info().version);
    app_.add_option("--log-level", level_, "What to write to stderr")
        ->transform(one_of<log::Level>({{"debug", log::Level::debug},
                                        {"info", log::Level::info},
                                        {"warning", log::Level::warning},
                                        {"error", log::Level::error},
                                        {"off", log::Level::off}}))
        ->option_text("debug|info|warning|error|off=info");
    app_.add_flag("--quiet", quiet_, "Only warnings and errors on stderr");
    app_.footer(
        "Examples:\n"
        "  diffuse train --config r8.json\n"
        "  diffuse eval --checkpoint runs/r8\n"
        "  echo 'oil prices rose' | diffuse predict --checkpoint runs/r8\n"
        "  diffuse bench --compare distilbert\n\n"
        "Each verb has its own help: diffuse train --help\n\n"
        "Exit codes: 0 done, 1 failed, 2 a mistake in the command line, a config or the\n"
        "data, 129, 130, 143 and 152 stopped by a signal.\n");
    train_verb_ = setup_train(app_, train_);
    pretrain_verb_ = setup_pretrain(app_, pretrain_);
    grid_verb_ = setup_grid(app_, grid_);
    eval_verb_ = setup_eval(app_, eval_);
    predict_verb_ = setup_predict(app_, predict_);
    prune_verb_ = setup_prune(app_, prune_);
    bench_verb_ = setup_bench(app_, bench_);
    data_verb_ = setup_task_data(app_, data_);
    config_verb_ = setup_config(app_, config_);
    selftest_verb_ = setup_selftest(app_, selftest_);
    version_verb_ = setup_version(app_, version_);
    for (CLI::App* verb : app_.get_subcommands({})) {
      let_pass_global_flags(*verb);
      for (CLI::App* task : verb->get_subcommands({})) let_pass_global_flags(*task);
    }
    app_.require_subcommand(0, 1);
    train_.arguments = arguments_;
    pretrain_.training.arguments = arguments_;
    grid_.training.arguments = arguments_;
  }

  int run() {
    if (const auto code = parse()) return *code;
    log::set_level(quiet_ && level_ < log::Level::warning ? log::Level::warning : level_);
    if (train_verb_->parsed()) return run_train(train_);
    if (pretrain_verb_->parsed()) return run_pretrain(pretrain_);
    if (grid_verb_->parsed()) return run_grid(grid_);
    if (eval_verb_->parsed()) return run_eval(eval_);
    if (predict_verb_->parsed()) return run_predict(predict_);
    if (prune_verb_->parsed()) return run_prune(prune_);
    if (bench_verb_->parsed()) return run_bench(bench_);
    if (data_verb_->parsed()) return run_task_data(data_);
    if (config_verb_->parsed()) return run_config(config_);
    if (selftest_verb_->parsed()) return run_selftest(selftest_);
    if (version_verb_->parsed()) return run_version(version_);
    fmt::print(stderr, "{}", app_.help());
    return kUserMistake;
  }

 private:
  /// The exit code when there is nothing left to do.
  std::optional<int> parse() {
    try {
      std::vector<std::string> reversed(arguments_.rbegin(), arguments_.rend() - 1);
      app_.parse(std::move(reversed));
    } catch (const CLI::Success& success) {  // help or version was asked for
      std::ostringstream text;
      app_.exit(success, text, text);
      write_output(text.str());
      return kDone;
    } catch (const CLI::ExtrasError&) {
      throw UsageError(unexpected_argument());
    } catch (const CLI::ParseError& error) {
      throw UsageError(fmt::format("{}\nTry: {} --help", error.what(), used_name()));
    }
    return std::nullopt;
  }

  static void let_pass_global_flags(CLI::App& verb) {
    verb.fallthrough();
    verb.footer(verb.get_footer() +
                "\nAlso, as for every verb: --quiet, --log-level "
                "debug|info|warning|error|off, --version\n");
  }

  /// The verb, or of a verb with tasks the task, as far as one was named.
  const CLI::App* used_verb() const {
    const CLI::App* used = nullptr;
    for (auto verbs = app_.get_subcommands(); !verbs.empty();
         verbs = verbs.front()->get_subcommands())
      used = verbs.front();
    return used;
  }

  std::string used_name() const {
    std::string name;
    for (const CLI::App* verb = used_verb(); verb != nullptr && verb != &app_;
         verb = verb->get_parent())
      name = " " + verb->get_name() + name;
    return "diffuse" + name;
  }

  std::string unexpected_argument() const {
    std::string message;
    for (const std::string& extra : app_.remaining(true)) {
      // A word behind an unknown flag may be its value: one fault, not two.
      if (!message.empty() && extra.rfind('-', 0) != 0) continue;
      message += describe_unexpected(extra) + "\n";
    }
    return message + fmt::format("Try: {} --help", used_name());
  }

  std::string describe_unexpected(const std::string& extra) const {
    const std::string word = extra.substr(0, extra.find('='));
    const CLI::App* verb = used_verb();
    std::vector<std::string> names;
    std::string kind = "argument";
    if (word.rfind('-', 0) == 0) {
      kind = "flag";
      for (const CLI::App* owner : {verb, &app_}) {
        if (owner == nullptr) continue;
        for (const CLI::Option* option : owner->get_options()) {
          for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
        }
      }
    } else if (const auto known = (verb == nullptr ? app_ : *verb).get_subcommands({});
               !known.empty()) {
      kind = verb == nullptr ? "verb" : "task";
      for (const CLI::App* named : known) names.push_back(named->get_name());
    }
    std::string message = fmt::format("{} is not {} {} of {}.", printable(extra),
                                      kind == "argument" ? "an" : "a", kind, used_name());
    if (const auto nearest = nearest_name(word, names)) {
      message += fmt::format(" Did you mean {}?", *nearest);
    }
    return message;
  }

  std::vector<std::string> arguments_;
  CLI::App app_{"Attention-free diffusion text classifiers: train, evaluate, predict, compare.",
                "diffuse"};
  log::Level level_ = log::Level::info;
  bool quiet_ = false;
  TrainOptions train_;
  PretrainOptions pretrain_;
  GridOptions grid_;
  EvalOptions eval_;
  PredictOptions predict_;
  PruneOptions prune_;
  BenchOptions bench_;
  TaskDataOptions data_;
  ConfigOptions config_;
  SelftestOptions selftest_;
  VersionOptions version_;
  CLI::App* train_verb_ = nullptr;
  CLI::App* pretrain_verb_ = nullptr;
  CLI::App* grid_verb_ = nullptr;
  CLI::App* eval_verb_ = nullptr;
  CLI::App* predict_verb_ = nullptr;
  CLI::App* prune_verb_ = nullptr;
  CLI::App* bench_verb_ = nullptr;
  CLI::App* data_verb_ = nullptr;
  CLI::App* config_verb_ = nullptr;
  CLI::App* selftest_verb_ = nullptr;
  CLI::App* version_verb_ = nullptr;
};

/// A closed standard stream would leave its number to the next file that is opened, and results or
/// log lines would land in that file. Reading from 0 and writing to 1 still fail.
void hold_standard_streams() {
  for (const auto& [stream, mode] : {std::pair{0, O_WRONLY}, {1, O_RDONLY}, {2, O_WRONLY}}) {
    if (fcntl(stream, F_GETFD) == -1) open("/dev/null", mode);
  }
}

/// The only catch of the program: what an exception means to the caller.
int run_and_report(int argc, char** argv) {
  try {
    return CommandLine(std::vector<std::string>(argv, argv + argc)).run();
  } catch (const Stopped& stopped) {
    log::warning("Stopped by {}", signal_name(stopped.signal));
    return kSignalBase + stopped.signal;
  } catch (const UserError& error) {
    log::error("{}", error.what());
    return kUserMistake;
  } catch (const c10::Error& error) {
    log::error("{}", explained(error));
    log::debug("{}", error.what());
  } catch (const std::bad_alloc&) {
    log::error("Out of memory. {}", kMemoryAdvice);
  } catch (const std::exception& error) {
    log::error("{}", error.what());
  }
  return kFailed;
}

}  // namespace
}  // namespace diffuse::cli

int main(int argc, char** argv) {
  diffuse::cli::hold_standard_streams();
  diffuse::tune_allocator();
  diffuse::explain_terminations();
  const int code = diffuse::cli::run_and_report(argc, argv);
#ifndef __SANITIZE_ADDRESS__  // it looks for leaks at the end
  // LibTorch would take back thousands of registrations one by one: a fifth of the time that a
  // short command takes.
  std::fflush(nullptr);
  std::_Exit(code);
#endif
  return code;
}
