#include <gmock/gmock.h>

#include <csignal>

#include "e2e/fixtures.hpp"

namespace diffuse::testing {
namespace {

using ::testing::IsEmpty;
using ::testing::StartsWith;

Launch launch_predict(std::vector<std::string> more = {}) {
  std::vector<std::string> arguments = {"predict", "--checkpoint", "runs/small", "--device", "cpu"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return trained_workspace().workspace.launch(arguments);
}

TEST(PredictStream, ASlowPipeIsAnsweredBeforeMoreComes) {
  Process process(launch_predict());
  process.write("the match, a goal\n");
  EXPECT_THAT(process.read_line().value_or("nothing came"), StartsWith("sport\t"));
  process.write("rain and storm\nbank ");
  EXPECT_THAT(process.read_line().value_or("nothing came"), StartsWith("weather\t"));
  process.write("shares market\n\n");
  EXPECT_THAT(process.read_line().value_or("nothing came"), StartsWith("money\t"));
  EXPECT_THAT(process.read_line().value_or("nothing came"), StartsWith("#error\tempty text"));
  process.write("the match, a goal");  // without a line break, ended by the end of the input
  const Outcome outcome = process.wait();
  EXPECT_THAT(outcome.out, StartsWith("sport\t"));
  EXPECT_EQ(outcome.exit_code, 1) << outcome;
}

TEST(PredictStream, RecordsOfATableAndObjectsAreAnsweredAsTheyComeToo) {
  Process table(launch_predict({"--input-format", "csv"}));
  table.write("sport,\"the match,\n a goal\"\n");
  EXPECT_THAT(table.read_line().value_or("nothing came"), StartsWith("sport\t"));
  table.write("x,rain and storm\n");
  EXPECT_THAT(table.read_line().value_or("nothing came"), StartsWith("weather\t"));
  EXPECT_EQ(table.wait().exit_code, 0);
  Process objects(launch_predict({"--input-format", "jsonl"}));
  objects.write("{\"text\": \"the match, a goal\"}\n");
  EXPECT_THAT(objects.read_line().value_or("nothing came"), StartsWith("sport\t"));
  EXPECT_EQ(objects.wait().exit_code, 0);
}

TEST(PredictStream, ManyLinesGiveAsManyInTheirOrder) {
  constexpr int kLines = 3000;
  std::string input;
  for (int i = 0; i < kLines; ++i) {
    input += i % 100 == 7 ? "\n" : i % 2 == 0 ? "the match, a goal\n" : "rain and storm\n";
  }
  Launch launch = launch_predict({"--batch-size", "64"});
  launch.input = input;
  const Outcome outcome = run(launch);
  EXPECT_EQ(outcome.exit_code, 1);
  const std::vector<std::string> lines = lines_of(outcome.out);
  ASSERT_EQ(lines.size(), static_cast<std::size_t>(kLines)) << outcome.err;
  for (int i = 0; i < kLines; ++i) {
    const std::string& line = lines[static_cast<std::size_t>(i)];
    ASSERT_THAT(line, StartsWith(i % 100 == 7 ? "#error\t"
                                 : i % 2 == 0 ? "sport\t"
                                              : "weather\t"))
        << "line " << i + 1;
  }
}

TEST(PredictStream, ALineThatIsTooLongIsAnsweredAndTheNextOneToo) {
  Launch launch = launch_predict();
  launch.input = std::string((16U << 20) + 10, 'x') + "\nthe match, a goal\n";
  const Outcome outcome = run(launch);
  EXPECT_EQ(outcome.exit_code, 1);
  const std::vector<std::string> lines = lines_of(outcome.out);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_THAT(lines[0], StartsWith("#error\tthe line is longer than 16 MiB"));
  EXPECT_THAT(lines[1], StartsWith("sport\t"));
}

TEST(PredictStream, AReaderThatGoesAwayEndsItQuietly) {
  Process process(launch_predict());
  process.write("the match, a goal\n");
  ASSERT_TRUE(process.read_line().has_value());
  process.close_output();
  process.write("rain and storm\n");
  const Outcome outcome = process.wait();
  EXPECT_EQ(outcome.exit_code, 128 + SIGPIPE);
  EXPECT_THAT(outcome.err, IsEmpty());
}

}  // namespace
}  // namespace diffuse::testing
