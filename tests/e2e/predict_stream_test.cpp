#include <gmock/gmock.h>

#include <csignal>

#include "e2e/fixtures.hpp"
#include "support/gzip.hpp"

namespace diffuse::testing {
namespace {

using ::testing::HasSubstr;
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

TEST(PredictStream, AStdoutThatDoesNotBlockIsWaitedFor) {
  std::string texts;
  for (int i = 0; i < 5000; ++i) texts += i % 2 == 0 ? "the match, a goal\n" : "rain and storm\n";
  trained_workspace().workspace.write("many.txt", texts);
  Launch launch = launch_predict({"many.txt"});
  const Outcome plain = run(launch);
  ASSERT_EQ(plain.exit_code, 0) << plain;
  ASSERT_EQ(lines_of(plain.out).size(), 5000U);
  launch.nonblocking_output = true;
  const Outcome outcome = run(launch);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_TRUE(outcome.out == plain.out) << outcome.out.size();
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

/// Lines of several blocks that are read ahead; each tells its number by what answers it.
std::string numbered_lines(int count) {
  std::string input;
  for (int i = 0; i < count; ++i) {
    input += i % 1000 == 7 ? std::string("\n")
             : i % 3 == 0  ? "the match, a goal " + std::to_string(i) + '\n'
             : i % 3 == 1  ? "rain and storm " + std::to_string(i) + " wind\n"
                           : "bank shares market and more of them\n";
  }
  return input;
}

TEST(PredictStream, AFileAndAPipeGetTheSameAnswersWithAnyBatchAndThreads) {
  constexpr int kLines = 20000;
  const Workspace& workspace = trained_workspace().workspace;
  const std::string input = numbered_lines(kLines);
  workspace.write("many.txt", input);
  Launch launch = launch_predict({"--threads", "1", "--batch-size", "1"});
  launch.input = input;
  const Outcome expected = run(launch);
  const std::vector<std::string> lines = lines_of(expected.out);
  ASSERT_EQ(lines.size(), static_cast<std::size_t>(kLines)) << expected.err;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    ASSERT_THAT(lines[i], StartsWith(i % 1000 == 7 ? "#error\tempty text"
                                     : i % 3 == 0  ? "sport\t"
                                     : i % 3 == 1  ? "weather\t"
                                                   : "money\t"))
        << "line " << i + 1;
  }
  for (const std::vector<std::string>& more :
       {std::vector<std::string>{"many.txt"},
        {"many.txt", "--threads", "3", "--batch-size", "100"},
        {"many.txt", "--batch-size", "30000"},
        {"--threads", "2"}}) {
    Launch other = launch_predict(more);
    if (more.front() != "many.txt") other.input = input;
    const Outcome outcome = run(other);
    EXPECT_EQ(outcome.out, expected.out) << more.back();
    EXPECT_EQ(outcome.exit_code, 1);
  }
}

TEST(PredictStream, WhatComesBeforeADamagedPlaceIsAnswered) {
  const Workspace& workspace = trained_workspace().workspace;
  constexpr int kLines = 6000;
  const std::string packed = gzip(numbered_lines(kLines));
  workspace.write("cut.txt.gz", packed.substr(0, packed.size() - 5));
  const Outcome outcome = run(launch_predict({"cut.txt.gz"}));
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("cut.txt.gz: the gzip data end too early"));
  const std::vector<std::string> lines = lines_of(outcome.out);
  ASSERT_GT(lines.size(), 4096U);
  EXPECT_THAT(lines[0], StartsWith("sport\t"));
  EXPECT_THAT(lines[4000], StartsWith("weather\t"));
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
