#include "../../src/train/reporter.hpp"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "base/terminal.hpp"
#include "diffuse/base/files.hpp"
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
        reporter.show_update(TrainReport{.update = 100,
                                         .epoch = 1,
                                         .loss = 1.25,
                                         .learning_rate = 1e-3,
                                         .gradient_norm = 1,
                                         .tokens_per_s = 12345,
                                         .done_share = 0.5,
                                         .remaining_s = 0.04,
                                         .loss_scale = 1024,
                                         .skipped_updates = 2});
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
  log.write(TrainReport{.update = 3, .loss = 0.5, .loss_scale = 2048, .skipped_updates = 2});
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

}  // namespace
}  // namespace diffuse
