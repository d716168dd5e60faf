#include "data/label_checks.hpp"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "data/support.hpp"
#include "diffuse/data/loading.hpp"

namespace diffuse {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::LogCapture;
using ::testing::Not;
using testing::TempDir;

TEST(LookAlikes, AreListedWithTheirRowsMostFirst) {
  const Labels labels({"0", "0.0", "New York", "New  York", "Sport", "cooking", "sport"});
  const std::vector<std::int64_t> counts = {7, 1, 0, 2, 3, 90, 1200};
  EXPECT_THAT(
      describe_look_alikes(labels, counts),
      ElementsAre("\"sport\" (1,200 rows), \"Sport\" (3 rows)", "\"0\" (7 rows), \"0.0\" (1 row)",
                  "\"New  York\" (2 rows), \"New York\" (0 rows)"));
}

TEST(LookAlikes, AreNoneAmongNamesThatDiffer) {
  const std::vector<std::int64_t> counts(5, 1);
  EXPECT_THAT(describe_look_alikes(Labels({"0", "1", "10", "sport", "sports"}), counts), IsEmpty());
}

TEST(LookAlikes, ALongGroupIsCut) {
  std::vector<std::string> names;
  for (int i = 0; i < 12; ++i) names.push_back(std::string(static_cast<std::size_t>(i), '0') + "7");
  const auto lines = describe_look_alikes(Labels(names), std::vector<std::int64_t>(12, 1));
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_THAT(lines.front(), HasSubstr("\"0000000007\" (1 row), … (12 in all)"));
}

TEST(LookAlikes, FiveGroupsAreNamedAndTheRestCounted) {
  std::vector<std::string> names;
  for (int i = 1; i <= 7; ++i) {
    names.push_back(fmt::format("{}", i));
    names.push_back(fmt::format("{}.0", i));
  }
  const LogCapture log;
  warn_of_look_alikes("data.train", Labels(names), std::vector<std::int64_t>(14, 2));
  EXPECT_THAT(log.text(), HasSubstr("\"5\" (2 rows), \"5.0\" (2 rows)"));
  EXPECT_THAT(log.text(), Not(HasSubstr("\"6\"")));
  EXPECT_THAT(log.text(), HasSubstr("2 more groups of labels that differ by so little"));
}

class LookAlikeRows : public ::testing::Test {
 protected:
  std::string log_of(const std::string& content) {
    DataConfig data;
    data.train = dir_.write("train.csv", content).string();
    data.cache_dir = (dir_.path() / "cache").string();
    TokenizerConfig bytes;
    bytes.type = TokenizerType::bytes;
    const LogCapture log;
    classes_ = load_training_data(data, bytes, 1, 1).labels.names();
    return log.text();
  }

  TempDir dir_;
  std::vector<std::string> classes_;
};

TEST_F(LookAlikeRows, AreAWarningWhetherReadOrCached) {
  const std::string content = "sport,a\nSport,b\nfood,c\nsport,d\n";
  for (const char* how : {"(read)", "(cached)"}) {
    const std::string log = log_of(content);
    EXPECT_THAT(log, HasSubstr(how));
    EXPECT_THAT(
        log, HasSubstr("data.train: labels that differ by case, width, blanks or the writing of a "
                       "number alone are classes of their own: \"sport\" (2 rows), "
                       "\"Sport\" (1 row); if they mean the same, write them the same"));
  }
}

TEST_F(LookAlikeRows, ThatReadTheSameAreOneClassWithoutAWord) {
  const std::string log = log_of(
      "sport,a\n\"sport\u00A0\",b\nspo\u200Brt,c\n\"\uFEFFsport\",d\nne\u0301gatif,e\nn\u00E9gatif,"
      "f\n");
  EXPECT_THAT(classes_, ElementsAre("n\u00E9gatif", "sport"));
  EXPECT_THAT(log, Not(HasSubstr("differ by")));
}

TEST_F(LookAlikeRows, SeveralLabelsInOneAreToldToBe) {
  std::string content;
  const std::vector<std::string> parts = {"NUM", "DESC", "HUM", "LOC"};
  for (const std::string& a : parts)
    for (const std::string& b : parts) content += fmt::format("{0}|{1},text {0} {1}\n", a, b);
  for (int i = 0; i < 2; ++i)
    for (const std::string& a : parts) content += fmt::format("{0},{1} text of {0}\n", a, i);
  for (int i = 0; i < 30; ++i) content += fmt::format("NUM,more {}\n", i);
  EXPECT_THAT(
      log_of(content),
      HasSubstr("labels such as \"DESC|DESC\" are one class each; if they are several labels, "
                "say so: --set 'data.label_separator=|'"));
  // Names that hold a comma or two say nothing.
  EXPECT_THAT(log_of("\"arts, music\",a\n\"food, drink\",b\n\"rail; road\",c\n\"a|b\",d\n\"food, "
                     "drink\",e\n"),
              Not(HasSubstr("label_separator")));
}

}  // namespace
}  // namespace diffuse
