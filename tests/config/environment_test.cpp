#include "config/support.hpp"

namespace diffuse::testing {
namespace {

constexpr const char* kName = "DIFFUSE_TEST_VARIABLE";

std::string label_column(const std::string& text) {
  return load_text(R"({"data": {"label_column": ")" + text + "\"}}").data.label_column;
}

TEST(Environment, VariablesAreReplaced) {
  const ScopedVariable set(kName, "value");
  EXPECT_EQ(label_column("a ${DIFFUSE_TEST_VARIABLE} b ${DIFFUSE_TEST_VARIABLE:-other}"),
            "a value b value");
}

TEST(Environment, TheDefaultStandsForUnsetAndEmpty) {
  const ScopedVariable unset(kName, nullptr);
  EXPECT_EQ(label_column("${DIFFUSE_TEST_VARIABLE:-other}"), "other");
  EXPECT_EQ(label_column("x${DIFFUSE_TEST_VARIABLE:-}"), "x");
  const ScopedVariable empty(kName, "");
  EXPECT_EQ(label_column("${DIFFUSE_TEST_VARIABLE:-other}"), "other");
  EXPECT_EQ(label_column("x${DIFFUSE_TEST_VARIABLE}"), "x");
}

TEST(Environment, TwoDollarsAreAPlainBraceAndOthersStay) {
  EXPECT_EQ(label_column("$${HOME} costs $5 {x}"), "${HOME} costs $5 {x}");
}

TEST(Environment, ListEntriesAreReplacedToo) {
  const ScopedVariable set(kName, "title");
  const Config config =
      load_text(R"({"data": {"text_columns": ["a", "${DIFFUSE_TEST_VARIABLE}"]}})");
  EXPECT_EQ(config.data.text_columns, (std::vector<std::string>{"a", "title"}));
}

TEST(Environment, AStoredConfigIsTakenAsItStands) {
  EXPECT_EQ(parse_config(R"({"data": {"train": "/a/${B}"}})", "stored").data.train, "/a/${B}");
  // As it is written now, it comes back by every way of reading.
  Config config =
      default_config({{"data.train", "/a/${B}/$${C}/$$"}, {"data.text_columns", R"(["${D}"])"}});
  const std::string text = config_json(config);
  EXPECT_EQ(parse_config(text, "stored").data.train, "/a/${B}/$${C}/$$");
  EXPECT_EQ(parse_config(text, "stored").data.text_columns, std::vector<std::string>{"${D}"});
  EXPECT_EQ(load_text(text).data.train, "/a/${B}/$${C}/$$");
}

TEST(Environment, FaultsAreReported) {
  const ScopedVariable unset(kName, nullptr);
  const auto error = [](const std::string& text) {
    return load_error(R"({"data": {"train": ")" + text + "\"}}");
  };
  EXPECT_EQ(error("${DIFFUSE_TEST_VARIABLE}/a"),
            "c.json: data.train: \"${DIFFUSE_TEST_VARIABLE}/a\": the environment variable "
            "DIFFUSE_TEST_VARIABLE is not set; set it, or write ${DIFFUSE_TEST_VARIABLE:-default}");
  EXPECT_EQ(
      error("${A/b"),
      "c.json: data.train: \"${A/b\": \"${\" without \"}\"; a plain \"${\" is written \"$${\"");
  for (const std::string text : {"${}", "${1A}", "${A-b}", "${A:-${B}}"}) {
    EXPECT_EQ(error(text), "c.json: data.train: \"" + text +
                               "\": expected ${VARIABLE} or ${VARIABLE:-default}, the default "
                               "without variables");
  }
}

}  // namespace
}  // namespace diffuse::testing
