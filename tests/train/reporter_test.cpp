#include "../../src/train/reporter.hpp"

#include <gmock/gmock.h>

#include <sys/resource.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/terminal.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/base/files.hpp"
#include "diffuse/base/signals.hpp"
#include "support/temp_dir.hpp"

namespace diffuse {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string progress_line(unsigned short columns) {
  const testing::TempDir dir;
  return testing::on_terminal(
      [&dir] {
        Reporter reporter(dir.path(), /*tensorboard=*/false);
        reporter.show_update(HistoryTrain{.update = 100,
                                          .epoch = 1,
                                          .loss = 1.25,
                                          .learning_rate = 1e-3,
                                          .gradient_norm = 1,
                                          .tokens_per_s = 12345,
                                          .eta_s = 0.04,
                                          .loss_scale = 1024,
                                          .skipped_updates = 2},
                             /*done_share=*/0.5);
      },
      columns);
}

TEST(Reporter, ATerminalShowsEverythingOnOneLine) {
  const std::string line = progress_line(160);
  EXPECT_THAT(line, HasSubstr(" 50.0 %  ETA 0.0s  loss 1.2500  lr 1.00e-03  12,345 tokens/s  "
                              "epoch 1.00  update 100  grad norm 1  scale 1024  2 updates skipped "
                              "for overflow"));
}

TEST(Reporter, ANarrowTerminalKeepsPercentageTimeLeftAndLoss) {
  const std::string line = progress_line(40);
  EXPECT_THAT(line, HasSubstr(" 50.0 %  ETA 0.0s  loss 1.2500"));
  EXPECT_THAT(line, Not(HasSubstr("update 100")));
}

TEST(MetricsLog, ALineIsThereAsSoonAsItIsWritten) {
  const testing::TempDir dir;
  const std::filesystem::path path = dir.write("metrics.jsonl", "{\"type\":\"tra");
  MetricsLog log(path);
  log.write(HistoryTrain{.update = 3, .loss = 0.5, .loss_scale = 2048, .skipped_updates = 2});
  std::istringstream lines(read_file(path));  // the log is still open
  std::string line;
  std::getline(lines, line);
  EXPECT_EQ(line, "{\"type\":\"tra") << "what a killed process left is a line of its own";
  std::getline(lines, line);
  const auto json = nlohmann::json::parse(line);
  EXPECT_EQ(json["update"], 3);
  EXPECT_EQ(json["loss"], 0.5);
  EXPECT_EQ(json["loss_scale"], 2048);
  EXPECT_EQ(json["skipped_updates"], 2);
}

void limit_file_size(rlim_t bytes) {
  const rlimit limit{bytes, RLIM_INFINITY};
  ::setrlimit(RLIMIT_FSIZE, &limit);
}

/// Exits with 42 if the second of three lines is refused whole.
[[noreturn]] void write_across_a_full_disk(const std::filesystem::path& path) {
  ignore_write_signals();
  MetricsLog log(path);
  log.write(HistoryDone{.updates = 1});
  const auto size = std::filesystem::file_size(path);
  limit_file_size(size + 10);
  bool refused = false;
  try {
    log.write(HistoryDone{.updates = 2});
  } catch (const SystemError&) {
    refused = std::filesystem::file_size(path) == size;
  }
  limit_file_size(RLIM_INFINITY);
  log.write(HistoryDone{.updates = 3});
  std::exit(refused ? 42 : 1);
}

TEST(MetricsLog, ALineThatDoesNotFitLeavesNothing) {
  const testing::TempDir dir;
  const std::filesystem::path path = dir.path() / "metrics.jsonl";
  EXPECT_EXIT(write_across_a_full_disk(path), ::testing::ExitedWithCode(42), "");
  const std::string text = read_file(path);
  EXPECT_THAT(text, HasSubstr("\"updates\":1,"));
  EXPECT_THAT(text, HasSubstr("}\n{\"type\":\"done\",\"updates\":3,"));
}

TEST(Reporter, FilesThatCannotBeWrittenAreAWarning) {
  const testing::TempDir dir;
  std::filesystem::create_directories(dir.path() / "metrics.jsonl");
  dir.write("tensorboard", "a file");
  ::testing::internal::CaptureStderr();
  Reporter reporter(dir.path(), /*tensorboard=*/true);
  reporter.report(HistoryStart{});
  reporter.report(HistoryTrain{.update = 5, .loss = 0.25}, 0.5);
  reporter.report(HistoryEpoch{.update = 5}, nullptr);
  reporter.report(HistoryDone{.updates = 5});
  const std::string text = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(text, HasSubstr("metrics.jsonl: cannot be opened for writing: Is a directory. The "
                              "figures are in the log alone.\n"));
  EXPECT_THAT(text, HasSubstr("tensorboard"));
  EXPECT_THAT(text, HasSubstr("The training goes on without TensorBoard.\n"));
  EXPECT_THAT(text, HasSubstr("loss 0.2500"));
}

}  // namespace
}  // namespace diffuse
