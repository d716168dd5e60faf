#include "diffuse/data/layout.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/support.hpp"

namespace diffuse {
namespace {

using ::testing::HasSubstr;
using testing::message_of;

TEST(DataFacts, ReadBackAsTheyWereWritten) {
  DataFacts facts;
  facts.layout = {
      FileFormat::tsv, '\t', true, 3, ColumnRef{"la\"bel", 2}, {{"text", 1}, {"title", 3}}, {},
      "in words"};
  facts.class_rows = {5, 0, 7};
  const DataFacts back = parse_data_facts(data_facts_json(facts), "data.json");
  EXPECT_EQ(back.layout.format, FileFormat::tsv);
  EXPECT_EQ(back.layout.separator, '\t');
  EXPECT_TRUE(back.layout.header);
  EXPECT_EQ(back.layout.columns, 3u);
  EXPECT_EQ(back.layout.label, facts.layout.label);
  EXPECT_EQ(back.layout.texts, facts.layout.texts);
  EXPECT_EQ(back.layout.description, "in words");
  EXPECT_EQ(back.class_rows, facts.class_rows);
  facts.layout.label.reset();
  EXPECT_FALSE(parse_data_facts(data_facts_json(facts), "data.json").layout.label);
}

TEST(DataFacts, SayWhatIsWrongWithThem) {
  const auto refused = [](const std::string& text) {
    return message_of<DataError>([&] { parse_data_facts(text, "c/data.json"); });
  };
  EXPECT_EQ(refused("[]"), "c/data.json: not a JSON object.");
  EXPECT_THAT(refused("{"), HasSubstr("not a JSON object"));
  EXPECT_THAT(refused("{}"), HasSubstr("c/data.json: \"format\" is missing"));
  std::string text = data_facts_json({});
  text.replace(text.find("csv"), 3, "xls");
  EXPECT_THAT(refused(text),
              HasSubstr("\"format\" is \"xls\"; expected csv, tsv, jsonl or pixels"));
}

TEST(RecordLayout, NamesItsColumnsForMessages) {
  RecordLayout layout;
  layout.label = ColumnRef{"", 1};
  layout.texts = {{"", 2}, {"", 3}};
  EXPECT_EQ(layout.columns_text(), "label 1, text 2, 3");
  layout.label = ColumnRef{"stars", 1};
  layout.texts = {{"title", 2}};
  EXPECT_EQ(layout.columns_text(), "label \"stars\", text \"title\"");
}

}  // namespace
}  // namespace diffuse
