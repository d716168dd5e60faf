#include "base/json_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "diffuse/base/error.hpp"
#include "support/message_of.hpp"

namespace diffuse {
namespace {

using Json = nlohmann::ordered_json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string fault(std::string_view text, const JsonRules& rules = {}) {
  const JsonText<Json> read = read_json<Json>(text, rules);
  if (!read.fault) return "none";
  EXPECT_TRUE(read.value.is_null());
  return read.fault->text("column");
}

std::string nested(int depth) {
  const auto size = static_cast<std::size_t>(depth);
  return std::string(size, '[') + std::string(size, ']');
}

TEST(JsonReader, ReadsWhatIsJson) {
  const JsonText<Json> read = read_json<Json>(R"({"b": [1, {"a": null}], "a": "x"})");
  EXPECT_FALSE(read.fault);
  EXPECT_THAT(read.repeated, IsEmpty());
  EXPECT_EQ(read.value.dump(), R"({"b":[1,{"a":null}],"a":"x"})");
  EXPECT_EQ(read_json<nlohmann::json>("{\"b\": 1, \"a\": 2}").value.dump(), R"({"a":2,"b":1})");
}

TEST(JsonReader, SaysWhereTheTextIsNoJson) {
  EXPECT_EQ(fault(""), "not valid JSON at column 1");
  EXPECT_EQ(fault("{\"a\": "), "not valid JSON at column 7");
  EXPECT_EQ(fault("{} x"), "not valid JSON at column 4");
  EXPECT_EQ(fault("\"\xff\""), "not valid JSON at column 2");
  EXPECT_EQ(fault(std::string("{}\0x", 4)), "NUL character at column 3");
  EXPECT_EQ(fault("[1, 1e999]"), "a number that is out of range");
  EXPECT_EQ(read_json<Json>("[1, 1e999]").fault->byte, 5U);
  EXPECT_THAT(read_json<Json>("[1,]").fault->reason,
              HasSubstr("a comma before a closing bracket is not allowed"));
}

TEST(JsonReader, AllowsCommentsOnlyWhereToldTo) {
  EXPECT_EQ(fault("[1] // one"), "not valid JSON at column 5");
  EXPECT_EQ(fault("[1] /* one */ // two", {.comments = true}), "none");
}

TEST(JsonReader, GoesNoDeeperThanAllowed) {
  EXPECT_EQ(fault(nested(32)), "none");
  EXPECT_EQ(fault(nested(33)), "lists or objects stand in one another more than 32 deep");
  EXPECT_EQ(fault(nested(3), {.deepest = 2}),
            "lists or objects stand in one another more than 2 deep");
  EXPECT_EQ(fault(std::string(1'000'000, '[')),
            "lists or objects stand in one another more than 32 deep");
}

TEST(JsonReader, ListsTheKeysThatAnObjectHoldsTwiceWithTheirPath) {
  const auto repeated = [](std::string_view text) { return read_json<Json>(text).repeated; };
  EXPECT_THAT(repeated(R"({"a": {"b": 1}, "b": [{"a": 1}, {"a": 2}]})"), IsEmpty());
  EXPECT_THAT(repeated(R"({"a": 1, "b": 2, "a": 3, "a": 4})"), ElementsAre(ElementsAre("a")));
  EXPECT_THAT(repeated(R"({"x": 1, "m": [0, {"n": {"k": 1, "z": 2, "k": 3}}], "x": 2})"),
              ElementsAre(ElementsAre("m", "n", "k"), ElementsAre("x")));
  EXPECT_THAT(repeated(R"({"a": 1, "\u0061": 2})"), ElementsAre(ElementsAre("a")));
}

TEST(JsonReader, OfManyRepeatedKeysKeepsFewAndTheOutermost) {
  const std::string name(1000, 'k');
  std::string inner;
  for (int i = 0; i < 200; ++i) {
    const std::string key = '"' + std::to_string(i) + name + "\": 1, ";
    inner += key + key;
  }
  inner += "\"z\": 1";
  const std::string text =
      "{\"" + name + "\": {\"" + name + "\": {" + inner + "}}, \"x\": 1, \"x\": 2}";
  const auto repeated = read_json<Json>(text).repeated;
  EXPECT_EQ(repeated.size(), 20U);
  EXPECT_THAT(repeated.back(), ElementsAre("x"));
  std::size_t bytes = 0;
  for (const std::vector<std::string>& path : repeated)
    for (const std::string& key : path) bytes += key.size();
  EXPECT_LT(bytes, 20U * 3U * 110U) << "of long keys their beginning";
  const std::string wide = "\"" + std::string(99, 'a') + "é" + name + "\": 1";
  EXPECT_EQ(read_json<Json>("{" + wide + ", " + wide + "}").repeated.at(0).at(0),
            std::string(99, 'a') + "…");
}

TEST(JsonReader, AllowsAnObjectAsManyKeysAsItIsTold) {
  EXPECT_EQ(fault(R"({"a": {"b": 1, "c": 2}, "d": 3})", {.most_keys = 2}), "none");
  EXPECT_EQ(fault(R"({"a": [{"b": 1, "c": 2, "d": 3}]})", {.most_keys = 2}),
            "an object holds more than 2 keys");
}

TEST(JsonReader, AnObjectOrAMessageThatSaysWhatStandsThere) {
  EXPECT_EQ(read_json_object("{\"a\": 1}", "f")["a"], 1);
  const auto message = [](std::string_view text) {
    return testing::message_of<DataError>(
        [&] { read_json_object(text, "f:3", "an object a line"); });
  };
  EXPECT_EQ(message("{"), "f:3: not valid JSON at column 2; expected an object a line.");
  EXPECT_EQ(message("7"), "f:3: number and no object; expected an object a line.");
  EXPECT_EQ(message("{\"a\\n\": 1, \"a\\n\": 2}"),
            "f:3: the key \"a\\n\" stands twice; expected an object a line.");
}

}  // namespace
}  // namespace diffuse
