#include "diffuse/base/log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <regex>
#include <sstream>
#include <thread>
#include <vector>

#include "base/terminal.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/base/files.hpp"
#include "diffuse/base/progress.hpp"
#include "support/temp_dir.hpp"

namespace diffuse {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

using ::testing::ThrowsMessage;

class LogTest : public ::testing::Test {
 protected:
  ~LogTest() override {
    log::close_file();
    log::set_level(log::Level::info);
  }

  static std::string stderr_of(const std::function<void()>& body) {
    ::testing::internal::CaptureStderr();
    body();
    return ::testing::internal::GetCapturedStderr();
  }

  static void one_of_each() {
    log::debug("d {}", 1);
    log::info("i {}", 2);
    log::warning("w {}", 3);
    log::error("e {}", 4);
  }
};

TEST_F(LogTest, WritesLabelledLinesToStderr) {
  EXPECT_EQ(stderr_of(one_of_each), "i 2\nwarning: w 3\nerror: e 4\n");
}

TEST_F(LogTest, NeverWritesToStdout) {
  ::testing::internal::CaptureStdout();
  stderr_of(one_of_each);
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "");
}

TEST_F(LogTest, ObeysTheLevel) {
  log::set_level(log::Level::debug);
  EXPECT_EQ(stderr_of(one_of_each), "debug: d 1\ni 2\nwarning: w 3\nerror: e 4\n");
  log::set_level(log::Level::error);
  EXPECT_EQ(stderr_of(one_of_each), "error: e 4\n");
  log::set_level(log::Level::off);
  EXPECT_EQ(stderr_of(one_of_each), "");
}

TEST_F(LogTest, TakesBracesInFinishedMessagesAsTheyAre) {
  EXPECT_EQ(stderr_of([] { log::write(log::Level::info, "{\"a\": %v {}}"); }), "{\"a\": %v {}}\n");
}

TEST_F(LogTest, TheFileHoldsEveryLineWithItsTime) {
  const testing::TempDir dir;
  const fs::path path = dir.path() / "train.log";
  log::set_level(log::Level::off);
  log::open_file(path);
  one_of_each();
  log::close_file();
  log::info("after closing");

  std::istringstream lines(read_file(path));
  const std::string time = R"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}  )";
  for (const char* rest : {"debug    d 1", "info     i 2", "warning  w 3", "error    e 4"}) {
    std::string line;
    std::getline(lines, line);
    EXPECT_TRUE(std::regex_match(line, std::regex(time + rest))) << line;
  }
  EXPECT_EQ(lines.peek(), EOF);
}

TEST_F(LogTest, TheFileIsContinued) {
  const testing::TempDir dir;
  const fs::path path = dir.write("train.log", "before\n");
  log::open_file(path);
  stderr_of([] { log::info("now"); });
  EXPECT_THAT(read_file(path), ::testing::AllOf(HasSubstr("before\n"), HasSubstr("now\n")))
      << "a line is in the file as soon as it is written";
}

TEST_F(LogTest, SaysThatTheFileCannotBeOpened) {
  const testing::TempDir dir;
  const std::string path = dir.path();
  EXPECT_THAT(
      [&] { log::open_file(path); },
      ThrowsMessage<SystemError>(::testing::AllOf(
          HasSubstr(path + ": the log file cannot be opened ("), HasSubstr("Is a directory"))));
}

TEST_F(LogTest, SaysOnceThatTheFileCannotBeWritten) {
  log::open_file("/dev/full");
  const std::string text = stderr_of(one_of_each);
  const std::string warning = "warning: the log file is closed, it cannot be written: ";
  EXPECT_THAT(text, HasSubstr(warning));
  EXPECT_EQ(text.find(warning), text.rfind(warning));
  EXPECT_THAT(text, ::testing::AllOf(HasSubstr("i 2\n"), HasSubstr("e 4\n")));
}

TEST_F(LogTest, AWarningOnceIsForEachMatter) {
  EXPECT_EQ(stderr_of([] {
              log::warning_once("test matter", "first");
              log::warning_once("test matter", "second");
              log::warning_once("other test matter", "third");
            }),
            "warning: first\nwarning: third\n");
}

TEST_F(LogTest, LinesOfSeveralThreadsNeverMix) {
  const std::string text = stderr_of([] {
    std::vector<std::jthread> threads;
    for (const char c : {'a', 'b', 'c', 'd'}) {
      threads.emplace_back([c] {
        for (int i = 0; i < 200; ++i) log::info("{}", std::string(50, c));
      });
    }
  });
  std::istringstream lines(text);
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    ASSERT_EQ(line, std::string(50, line.at(0)));
  }
  EXPECT_EQ(count, 800);
}

TEST_F(LogTest, AFileBeginsWithTheLinesHeldForIt) {
  const testing::TempDir dir;
  const std::string path = (dir.path() / "train.log").string();
  log::debug("before holding");
  log::hold_for_file();
  log::debug("held 1");
  log::warning("held 2");
  log::open_file(path);
  log::info("live");
  log::close_file();
  log::open_file(path);  // nothing is held any more
  log::close_file();
  std::ifstream stream(path);
  const std::string text((std::istreambuf_iterator<char>(stream)), {});
  EXPECT_THAT(text, MatchesRegex(".*debug +held 1\n.*warning +held 2\n.*info +live\n"));
  EXPECT_THAT(text, ::testing::Not(HasSubstr("before holding")));
}

TEST_F(LogTest, ColoursLabelsOnATerminal) {
  const std::string text = testing::on_terminal(one_of_each);
  EXPECT_THAT(text, MatchesRegex("i 2\r\n\x1b.*warning: \x1b.*w 3\r\n\x1b.*error: \x1b.*e 4\r\n"));
}

TEST_F(LogTest, LeavesColoursOutWhenAsked) {
  const auto without = [](const char* name, const char* value) {
    return testing::on_terminal([=] {
      setenv(name, value, 1);
      one_of_each();
    });
  };
  EXPECT_EQ(without("NO_COLOR", "1"), "i 2\r\nwarning: w 3\r\nerror: e 4\r\n");
  EXPECT_EQ(without("TERM", "dumb"), "i 2\r\nwarning: w 3\r\nerror: e 4\r\n");
  EXPECT_THAT(without("NO_COLOR", ""), HasSubstr("\x1b[")) << "an empty NO_COLOR is none";
}

TEST_F(LogTest, ALineClearsTheProgressLineFirst) {
  const std::string text = testing::on_terminal([] {
    ProgressLine progress;
    progress.update("10 %");
    log::info("epoch 1");
    log::info("epoch 2");
    progress.clear();
  });
  EXPECT_EQ(text, "\r\x1b[K10 %\r\x1b[Kepoch 1\r\nepoch 2\r\n");
}

}  // namespace
}  // namespace diffuse
