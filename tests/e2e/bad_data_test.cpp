#include <gmock/gmock.h>

#include <cctype>

#include "e2e/fixtures.hpp"

namespace diffuse::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct BadFile {
  std::string name;
  std::string content;
  std::string message;  ///< behind the file's path
};

std::ostream& operator<<(std::ostream& stream, const BadFile& bad) { return stream << bad.name; }

/// A training file with one bad row stops training before a run directory is made.
class BadData : public ::testing::TestWithParam<BadFile> {};

TEST_P(BadData, StopsWithFileLineAndWhatWasExpected) {
  const BadFile& bad = GetParam();
  Workspace workspace;
  const std::filesystem::path file = workspace.write(bad.name, bad.content);
  const Outcome outcome = workspace.run({"train", "--train", bad.name, "--device", "cpu"});
  EXPECT_EQ(outcome.exit_code, 2) << outcome;
  EXPECT_THAT(outcome.out, IsEmpty());
  EXPECT_THAT(outcome.err, HasSubstr(file.filename().string() + bad.message));
  EXPECT_FALSE(std::filesystem::exists(workspace.path() / "runs"));
}

INSTANTIATE_TEST_SUITE_P(
    Rows, BadData,
    ::testing::Values(
        BadFile{"fields.csv", easy_csv(6) + "sport,one,two\n",
                ":7: 3 fields; expected 2 as on line 1"},
        BadFile{"quote.csv", easy_csv(3) + "sport,\"never closed\n" + easy_csv(2),
                ":4: the quote that opens column 2 is not closed"},
        BadFile{"open.csv", easy_csv(3) + "sport,\"never closed\n",
                ":4: the quote that opens column 2 is never closed; expected a closing quote"},
        BadFile{"utf8.csv", easy_csv(3) + "sport,caf\xE9 near\n",
                ":4: invalid UTF-8 in column 2: byte 0xE9"},
        BadFile{"empty.csv", easy_csv(3) + "sport,  \n", ":4: empty text; expected"},
        BadFile{"label.csv", easy_csv(3) + ",a text\n", ":4: empty label; expected"},
        BadFile{"nul.csv", easy_csv(3) + std::string("sport,a\0b\n", 10),
                ":4: NUL character in column 2"},
        BadFile{"one-class.csv", "sport,a match\nsport,a match\n",
                ": all 2 rows have the label \"sport\"; expected at least two classes"},
        BadFile{"nothing.csv", "", ": the file is empty; expected at least one row"},
        BadFile{"json.jsonl", "{\"label\": \"a\", \"text\": \"b\"}\n{\"label\": \n",
                ":2: not valid JSON"},
        BadFile{"key.jsonl", "{\"label\": \"a\", \"text\": \"b\"}\n{\"label\": \"c\"}\n",
                ":2: there is no key \"text\""},
        BadFile{"name.dat", easy_csv(6), ": the name does not tell the format; expected .csv"},
        BadFile{"damaged.csv.gz", "\x1F\x8B\x08 and then no gzip", ": damaged gzip data"}),
    [](const auto& parameter) {
      std::string name = parameter.param.name;
      for (char& c : name) {
        if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
      }
      return name;
    });

TEST(BadDataSkipped, IsCountedAndShown) {
  Workspace workspace;
  std::string content = easy_csv(60);
  for (int i = 0; i < 7; ++i) content += "sport,too,many\n";
  workspace.write("mixed.csv", content);
  const Outcome outcome = workspace.run({"train", "--train", "mixed.csv", "--dry-run", "--device",
                                         "cpu", "--set", "data.on_error=skip"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("mixed.csv:61: 3 fields"),
                                 HasSubstr("mixed.csv:65: 3 fields"), HasSubstr("7 bad rows")));
  EXPECT_THAT(outcome.err, ::testing::Not(HasSubstr("mixed.csv:66:")));
}

// A search alone would not see that of the test, nor the validation rows' unknown label.
TEST(BadDataSearched, LeavesNoFolderAndReplacesNoRun) {
  const Workspace workspace;
  workspace.write("odd.csv", easy_csv(30, 1000) + "sprot,the match\n");
  workspace.write("open.csv", easy_csv(3) + "sport,\"never closed\n");
  workspace.write("old/metrics.jsonl", "an earlier run\n");
  const auto refused = [&](const std::vector<std::string>& more, const char* text) {
    std::vector<std::string> arguments = {"--autotune", "120u", "--set", "train.length=30u"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome outcome = workspace.run(small_run("new", arguments));
    EXPECT_EQ(outcome.exit_code, 2) << outcome;
    EXPECT_THAT(outcome.err, HasSubstr(text));
    EXPECT_FALSE(std::filesystem::exists(workspace.path() / "new")) << text;
    arguments.emplace_back("--overwrite");
    EXPECT_EQ(workspace.run(small_run("old", arguments)).exit_code, 2) << text;
    EXPECT_EQ(read_file(workspace.path() / "old/metrics.jsonl"), "an earlier run\n") << text;
  };
  refused({"--validation", "odd.csv"}, "odd.csv:31: unknown label \"sprot\"");
  refused({"--test", "open.csv"}, "open.csv:4: the quote that opens column 2 is never closed");
  refused({"--train", "open.csv"}, "open.csv:4: the quote that opens column 2 is never closed");
  refused({"--train", "nowhere.csv"}, "nowhere.csv");
  refused({"--set", "data.label_column=topic"}, "\"topic\"");
}

TEST(BadDataLabels, AnUnknownLabelOfTheValidationFile) {
  Workspace workspace;
  workspace.write("odd.csv", easy_csv(3, 1000) + "sprot,the match\n");
  const Outcome outcome = workspace.run(
      {"train", "--train", "train.csv", "--validation", "odd.csv", "--device", "cpu"});
  EXPECT_EQ(outcome.exit_code, 2) << outcome;
  EXPECT_THAT(outcome.out, IsEmpty());
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("odd.csv:4: unknown label \"sprot\""),
                                 HasSubstr("did you mean \"sport\"")));
}

TEST(BadDataLabels, NumbersOutsideALabelFile) {
  Workspace workspace;
  workspace.write("labels.txt", "World\nSports\n");
  workspace.write("numbers.csv", "1,a text\n2,another\n3,a third\n");
  const Outcome outcome =
      workspace.run({"train", "--train", "numbers.csv", "--device", "cpu", "--set",
                     "data.labels=labels.txt", "--set", "data.label_base=1"});
  EXPECT_EQ(outcome.exit_code, 2) << outcome;
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("numbers.csv:3: unknown label \"3\""),
                                 HasSubstr("a number from 1 to 2")));
}

}  // namespace
}  // namespace diffuse::testing
