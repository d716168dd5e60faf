// Stopping a run and going on with it.

#include <gmock/gmock.h>

#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>

#include "e2e/fixtures.hpp"

namespace diffuse::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

namespace fs = std::filesystem;

/// Starts `arguments` and stops it by SIGTERM as soon as it has reported `update`.
Outcome stop_after(const Workspace& workspace, const std::vector<std::string>& arguments,
                   std::int64_t update) {
  Process process(workspace.launch(arguments));
  EXPECT_TRUE(process.wait_for_stderr("update " + std::to_string(update) + "  grad"));
  process.signal(SIGTERM);
  return process.wait();
}

TEST(Resume, TwentyStopsAtRandomMomentsChangeNoByte) {
  Workspace workspace;
  const std::vector<std::string> settings = {
      "--set", "train.length=1000u",      "--set", "train.precision=fp16",
      "--set", "train.accumulate=2",      "--set", "train.log_every=1",
      "--set", "train.evaluate_every=60u"};
  ASSERT_EQ(workspace.run(small_run("whole", settings)).exit_code, 0);

  std::mt19937 random(1);
  const fs::path parts = workspace.path() / "parts";
  std::vector<std::string> arguments = small_run("parts", settings);
  std::int64_t done = 0;
  for (int stop = 0; stop < 20; ++stop) {
    const std::int64_t next = done + 1 + static_cast<std::int64_t>(random() % 12);
    const Outcome outcome = stop_after(workspace, arguments, next);
    ASSERT_EQ(outcome.exit_code, 143) << outcome;
    EXPECT_THAT(outcome.err, HasSubstr("diffuse train --resume parts"));
    done = last_update(parts);
    ASSERT_GE(done, next);
    arguments = {"train", "--resume", "parts"};
  }
  const Outcome last = workspace.run(arguments);
  ASSERT_EQ(last.exit_code, 0) << last;
  EXPECT_THAT(last.out, HasSubstr("test accuracy"));
  for (const char* file : {"model.safetensors", "optimizer.safetensors"}) {
    EXPECT_TRUE(read_file(workspace.path() / "whole/checkpoints/last" / file) ==
                read_file(parts / "checkpoints/last" / file))
        << file;
  }
  EXPECT_EQ(fs::read_symlink(workspace.path() / "whole/checkpoints/best"),
            fs::read_symlink(parts / "checkpoints/best"));
  EXPECT_EQ(nlohmann::json::parse(read_file(parts / "manifest.json")).at("resumed").size(), 20U);
}

TEST(Resume, TheSameSeedGivesTheSameBytesInBf16) {
  Workspace workspace;
  for (const char* out : {"a", "b"}) {
    ASSERT_EQ(workspace.run(small_run(out, {"--set", "train.precision=bf16"})).exit_code, 0);
  }
  EXPECT_TRUE(read_file(workspace.path() / "a/checkpoints/last/model.safetensors") ==
              read_file(workspace.path() / "b/checkpoints/last/model.safetensors"));
}

TEST(Resume, ADollarInAPathStandsForItself) {
  const Workspace workspace;
  workspace.write("${odd}.csv", easy_csv(60));
  ASSERT_EQ(workspace
                .run({"train", "--train", "${odd}.csv", "--out", "run", "--set", "train.length=9u",
                      "--set", "train.max_updates=4", "--set", "train.warmup=1u"})
                .exit_code,
            0);
  const Outcome outcome =
      workspace.run({"train", "--resume", "run", "--set", "train.max_updates=0"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.err, HasSubstr("going on after update 4"));
}

TEST(Resume, AFinishedRunSaysSo) {
  Workspace workspace;
  ASSERT_EQ(workspace.run(small_run("run", {"--set", "train.tensorboard=true"})).exit_code, 0);
  const std::vector<std::string> before = tree(workspace.path() / "run");
  const Outcome again = workspace.run({"train", "--resume", "run"});
  EXPECT_EQ(again.exit_code, 0) << again;
  EXPECT_THAT(again.out, IsEmpty());
  EXPECT_THAT(again.err,
              AllOf(HasSubstr("The run is finished: 66 updates"), Not(HasSubstr("going on"))));
  EXPECT_EQ(tree(workspace.path() / "run"), before);
}

TEST(Resume, WithNothingLeftToDoALengthIsForgotten) {
  const Workspace workspace;
  ASSERT_EQ(workspace.run(small_run("run", {"--set", "data.test="})).exit_code, 0);
  const auto config_of = [&] { return read_file(workspace.path() / "run/config.json"); };
  const std::string before = config_of();
  const Outcome shorter = workspace.run({"train", "--resume", "run", "--set", "train.length=3e"});
  EXPECT_EQ(shorter.exit_code, 0) << shorter;
  EXPECT_THAT(shorter.err, HasSubstr("The run is finished: 66 updates"));
  EXPECT_EQ(config_of(), before);
  // Rows to test on that come in later are noted, and no length beside them.
  const Outcome tested =
      workspace.run({"train", "--resume", "run", "--test", "test.csv", "--set", "train.length=3e"});
  EXPECT_EQ(tested.exit_code, 0) << tested;
  EXPECT_THAT(tested.out, HasSubstr("test accuracy"));
  const auto config = nlohmann::json::parse(config_of());
  EXPECT_THAT(config.at("data").at("test").get<std::string>(), HasSubstr("test.csv"));
  EXPECT_EQ(config.at("train"), nlohmann::json::parse(before).at("train"));
}

TEST(Resume, OneThatEndedAtMaxUpdatesSaysHowToGoOn) {
  const Workspace workspace;
  ASSERT_EQ(workspace.run(small_run("run", {"--set", "train.max_updates=5"})).exit_code, 0);
  const Outcome again = workspace.run({"train", "--resume", "run"});
  EXPECT_EQ(again.exit_code, 0) << again;
  EXPECT_THAT(again.err, HasSubstr("it ends at train.max_updates: --set train.max_updates=0"));
}

TEST(Resume, OneThatPatienceEndedSaysHowToGoOn) {
  const Workspace workspace;
  // No evaluation gains a whole point of accuracy of 1.
  ASSERT_EQ(workspace
                .run(small_run("run", {"--set", "train.length=40e", "--set", "train.patience=1",
                                       "--set", "train.min_gain=1"}))
                .exit_code,
            0);
  const Outcome longer = workspace.run({"train", "--resume", "run", "--set", "train.length=80e"});
  EXPECT_EQ(longer.exit_code, 0) << longer;
  EXPECT_THAT(longer.err,
              AllOf(HasSubstr("The run is finished: "),
                    HasSubstr("it ended early by train.patience = 1: a greater one goes on, or "
                              "none: --set train.patience=0"),
                    Not(HasSubstr("a greater train.length")), Not(HasSubstr("learning rate"))));
}

TEST(Resume, OneOfNGramsAloneHasNothingMoreToLearn) {
  const Workspace workspace;
  ASSERT_EQ(
      workspace.run(small_run("run", {"--set", "model.dim=0", "--set", "ngrams.max=1"})).exit_code,
      0);
  const Outcome again = workspace.run({"train", "--resume", "run", "--set", "train.length=80e"});
  EXPECT_EQ(again.exit_code, 0) << again;
  EXPECT_THAT(again.err,
              AllOf(HasSubstr("it is of n-grams alone (model.dim = 0), which are "
                              "trained once"),
                    Not(HasSubstr("a greater train.length")), Not(HasSubstr("learning rate"))));
}

TEST(Resume, FiguresOfEarlierWeightsAreForgotten) {
  const Workspace workspace;
  ASSERT_EQ(workspace.run(small_run("run", {"--set", "train.max_updates=3"})).exit_code, 0);
  ASSERT_TRUE(fs::exists(workspace.path() / "run/test.json"));
  const Outcome stopped = stop_after(workspace,
                                     {"train", "--resume", "run", "--set", "train.max_updates=0",
                                      "--set", "train.length=5000u", "--set", "train.log_every=1"},
                                     5);
  EXPECT_EQ(stopped.exit_code, 143) << stopped;
  EXPECT_FALSE(fs::exists(workspace.path() / "run/test.json"));
  // The updates up to the stop are told.
  const auto lines = lines_of(read_file(workspace.path() / "run/metrics.jsonl"));
  const auto done = nlohmann::json::parse(lines.back());
  EXPECT_EQ(done["type"], "done");
  std::int64_t told = 0;
  for (const std::string& line : lines) {
    const auto json = nlohmann::json::parse(line);
    if (json["type"] == "train") told = json["update"];
  }
  EXPECT_EQ(told, done["updates"]);
}

TEST(Resume, OtherThreadsChangeNoByteOfTheFusedKernel) {
  const Workspace workspace;
  ASSERT_EQ(workspace.run(small_run("whole", {"--threads", "1"})).exit_code, 0);
  ASSERT_EQ(workspace.run(small_run("parts", {"--threads", "1", "--set", "train.max_updates=5"}))
                .exit_code,
            0);
  const Outcome more = workspace.run(
      {"train", "--resume", "parts", "--threads", "2", "--set", "train.max_updates=0"});
  ASSERT_EQ(more.exit_code, 0) << more;
  EXPECT_THAT(more.err, Not(HasSubstr("not to the bit")));
  EXPECT_TRUE(read_file(workspace.path() / "whole/checkpoints/last/model.safetensors") ==
              read_file(workspace.path() / "parts/checkpoints/last/model.safetensors"));
}

TEST(Resume, ItIsToldThatOtherThreadsChangeTheReference) {
  const Workspace workspace;
  ASSERT_EQ(workspace
                .run(small_run("run", {"--threads", "1", "--set", "train.max_updates=5", "--set",
                                       "train.kernel=reference"}))
                .exit_code,
            0);
  const Outcome more =
      workspace.run({"train", "--resume", "run", "--threads", "2", "--set", "train.max_updates=0"});
  ASSERT_EQ(more.exit_code, 0) << more;
  EXPECT_THAT(more.err, HasSubstr("(threads: 2 instead of 1): it goes on, but not to the bit"));
}

// As a run on another processor of the same name would have it.
TEST(Resume, ItIsToldThatOtherInstructionsChangeTheFusedKernel) {
  const Workspace workspace;
  ASSERT_EQ(workspace.run(small_run("run", {"--set", "train.max_updates=5"})).exit_code, 0);
  const std::filesystem::path path = workspace.path() / "run/manifest.json";
  auto manifest = nlohmann::json::parse(read_file(path));
  ASSERT_FALSE(manifest.at("instructions").get<std::string>().empty());
  manifest["instructions"] = "AVX-1024";
  std::ofstream(path) << manifest.dump();
  const Outcome more = workspace.run({"train", "--resume", "run", "--set", "train.max_updates=0"});
  ASSERT_EQ(more.exit_code, 0) << more;
  EXPECT_THAT(more.err, AllOf(HasSubstr(" instead of \"AVX-1024\")"), HasSubstr("not to the bit")));
}

// Runs of before there were updates of touched rows: their configs lack the key, their optimizer's
// state has moments of the whole embedding.
TEST(Resume, AnOlderRunGoesOnWithDenseUpdates) {
  const Workspace workspace;
  const std::string dense = "train.embedding_update=dense";
  ASSERT_EQ(workspace.run(small_run("whole", {"--set", dense})).exit_code, 0);
  ASSERT_EQ(
      workspace.run(small_run("parts", {"--set", dense, "--set", "train.max_updates=5"})).exit_code,
      0);
  const std::filesystem::path path = workspace.path() / "parts/config.json";
  auto config = nlohmann::json::parse(read_file(path));
  ASSERT_EQ(config.at("train").erase("embedding_update"), 1U);
  std::ofstream(path) << config.dump();
  const Outcome more =
      workspace.run({"train", "--resume", "parts", "--set", "train.max_updates=0"});
  ASSERT_EQ(more.exit_code, 0) << more;
  EXPECT_THAT(more.err, HasSubstr("made with dense updates of the embedding: so the run goes on"));
  for (const char* file : {"model.safetensors", "optimizer.safetensors"})
    EXPECT_TRUE(read_file(workspace.path() / "whole/checkpoints/last" / file) ==
                read_file(workspace.path() / "parts/checkpoints/last" / file))
        << file;
}

TEST(Resume, ALongerLengthGoesOn) {
  Workspace workspace;
  ASSERT_EQ(workspace.run(small_run("run")).exit_code, 0);
  const Outcome more = workspace.run({"train", "--resume", "run", "--set", "train.length=7e"});
  EXPECT_EQ(more.exit_code, 0) << more;
  EXPECT_THAT(more.err, AllOf(HasSubstr("train.length: \"7e\" instead of \"6e\""),
                              HasSubstr("going on after update 66")));
  EXPECT_EQ(last_update(workspace.path() / "run"), 77);
}

TEST(Resume, AKeyThatChangesUpdatesIsRefusedByName) {
  Workspace workspace;
  ASSERT_EQ(workspace.run(small_run("run", {"--set", "train.max_updates=5"})).exit_code, 0);
  const Outcome outcome = workspace.run({"train", "--resume", "run", "--set", "train.batch_size=8",
                                         "--set", "train.max_updates=0", "--set", "model.dim=32"});
  EXPECT_EQ(outcome.exit_code, 2) << outcome;
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("--resume run: the run was made with other values"),
                    HasSubstr("\n  model.dim: 32 instead of 16\n  train.batch_size: 8 instead of "
                              "16\n")));
  EXPECT_EQ(last_update(workspace.path() / "run"), 5);
}

TEST(Resume, ChangedDataAreRefused) {
  Workspace workspace;
  ASSERT_EQ(workspace.run(small_run("run", {"--set", "train.max_updates=5"})).exit_code, 0);
  workspace.write("train.csv", easy_csv(210, 3));
  const Outcome outcome =
      workspace.run({"train", "--resume", "run", "--set", "train.max_updates=0"});
  EXPECT_EQ(outcome.exit_code, 2) << outcome;
  EXPECT_THAT(outcome.err, HasSubstr("The content of data.train is not what the run began with."));
}

TEST(Resume, FlagsOfANewRunCannotStandBesideIt) {
  Workspace workspace;
  const Outcome outcome =
      workspace.run({"train", "--resume", "nowhere", "--overwrite", "--out", "x"});
  EXPECT_EQ(outcome.exit_code, 2) << outcome;
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("--out, --overwrite cannot stand beside it"),
                                 HasSubstr("--resume nowhere: there is no such folder")));
}

TEST(Resume, ASecondSignalEndsItAtOnce) {
  const Workspace workspace;
  // Updates long enough for both signals: the first waits for one to end.
  Process process(workspace.launch(
      small_run("run", {"--set", "train.length=100000u", "--set", "train.log_every=1", "--set",
                        "train.checkpoint_every=1u", "--set", "model.steps=8", "--set",
                        "model.dim=256", "--set", "train.accumulate=100"})));
  ASSERT_TRUE(process.wait_for_stderr("update 2  grad"));  // so the first is saved
  process.signal(SIGTERM);
  process.signal(SIGINT);
  const Outcome outcome = process.wait();
  // Two that are pending at once come in the order of their numbers.
  EXPECT_THAT(outcome.exit_code, ::testing::AnyOf(130, 143)) << outcome;
  EXPECT_THAT(outcome.err, Not(HasSubstr("Stopped by")));
  // What was saved before is whole: the run goes on from there.
  const std::int64_t saved = last_update(workspace.path() / "run");
  EXPECT_GE(saved, 1);
  const Outcome more = workspace.run({"train", "--resume", "run", "--set",
                                      "train.max_updates=" + std::to_string(saved), "--dry-run"});
  EXPECT_EQ(more.exit_code, 0) << more;
  EXPECT_EQ(workspace.run({"eval", "--checkpoint", "run/checkpoints/last"}).exit_code, 0);
}

TEST(Resume, ARunInMinutesGoesOnWithTheTimeThatIsLeft) {
  const Workspace workspace;
  const Outcome first =
      stop_after(workspace,
                 small_run("run", {"--set", "train.length=0.05m", "--set", "train.log_every=1",
                                   "--set", "train.tensorboard=true"}),
                 20);
  ASSERT_EQ(first.exit_code, 143) << first;
  const std::int64_t stopped_at = last_update(workspace.path() / "run");
  const Outcome more = workspace.run({"train", "--resume", "run"});
  ASSERT_EQ(more.exit_code, 0) << more;
  EXPECT_THAT(more.out, HasSubstr("test accuracy"));
  EXPECT_GT(last_update(workspace.path() / "run"), stopped_at);
  double time = 0;
  double lr = 1;
  for (const std::string& line : lines_of(read_file(workspace.path() / "run/metrics.jsonl"))) {
    const auto json = nlohmann::json::parse(line);
    if (json["type"] == "done") time = json["training_time_s"];
    if (json["type"] == "train") lr = json["lr"];
  }
  // Three seconds of both processes together, and the rate at its end.
  EXPECT_GE(time, 3);
  EXPECT_LT(lr, 0.02 * 0.1);
}

TEST(Resume, AFolderThatIsNoRunIsRefused) {
  Workspace workspace;
  fs::create_directories(workspace.path() / "empty");
  const Outcome outcome = workspace.run({"train", "--resume", "empty"});
  EXPECT_EQ(outcome.exit_code, 2) << outcome;
  EXPECT_THAT(outcome.err, HasSubstr("it has no config.json"));
  workspace.write("empty/config.json", "{}");
  EXPECT_THAT(workspace.run({"train", "--resume", "empty"}).err,
              AllOf(HasSubstr("stopped before its first checkpoint"),
                    HasSubstr("start it anew (in its place: --out empty --overwrite)")));
}

TEST(Resume, LinksThatACrashLeftBehindAreSetRight) {
  Workspace workspace;
  ASSERT_EQ(workspace.run(small_run("run", {"--set", "train.max_updates=5"})).exit_code, 0);
  const fs::path checkpoints = workspace.path() / "run/checkpoints";
  fs::remove(checkpoints / "last");
  fs::remove(checkpoints / "best");
  ASSERT_EQ(workspace.run({"train", "--resume", "run"}).exit_code, 0);
  EXPECT_EQ(fs::read_symlink(checkpoints / "last"), "000005");
  EXPECT_EQ(fs::read_symlink(checkpoints / "best"), "000005");
}

}  // namespace
}  // namespace diffuse::testing
