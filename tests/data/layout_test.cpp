#include "diffuse/data/layout.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

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

TEST(DataFacts, OfColumnsThatCannotBeReadAreRefused) {
  DataFacts facts;
  facts.layout.columns = 2;
  facts.layout.label = ColumnRef{"", 1};
  facts.layout.texts = {{"", 2}};
  facts.class_rows = {4, 2};
  const auto refused = [](const DataFacts& changed) {
    return message_of<DataError>(
        [&] { parse_data_facts(data_facts_json(changed), "c/data.json"); });
  };
  EXPECT_EQ(parse_data_facts(data_facts_json(facts), "").layout.label, facts.layout.label);
  for (const std::size_t number : {std::size_t{0}, std::size_t{3}, ~std::size_t{0} / 2}) {
    DataFacts wrong = facts;
    wrong.layout.label->number = number;
    EXPECT_EQ(refused(wrong), "c/data.json: the label is column " + std::to_string(number) +
                                  " of 2; expected one from 1 to 2.");
    wrong = facts;
    wrong.layout.texts = {{"", 2}, {"", number}};
    EXPECT_EQ(refused(wrong), "c/data.json: a text is column " + std::to_string(number) +
                                  " of 2; expected one from 1 to 2.");
    wrong.layout.header = true;  // by their names
    EXPECT_EQ(parse_data_facts(data_facts_json(wrong), "").layout.texts, wrong.layout.texts);
  }
  DataFacts wrong = facts;
  wrong.layout.texts.clear();
  EXPECT_THAT(refused(wrong), HasSubstr("\"texts\" is empty"));
  wrong = facts;
  wrong.layout.separator = '\n';
  EXPECT_THAT(refused(wrong), HasSubstr("\"separator\" is \"\\n\"; expected a character of ASCII"));
  wrong = facts;
  wrong.class_rows = {4, std::int64_t{1} << 62};
  EXPECT_EQ(refused(wrong),
            "c/data.json: it counts 4611686018427387904 rows; expected fewer than 2^32.");
  wrong.class_rows = {4, 2};
  wrong.rows = std::int64_t{1} << 40;
  EXPECT_THAT(refused(wrong), HasSubstr("expected fewer than 2^32"));
  std::string text = data_facts_json(facts);
  text.replace(text.find("\"number\": 1"), 11, "\"number\": 1, \"occurrence\": 0");
  EXPECT_THAT(message_of<DataError>([&] { parse_data_facts(text, "c/data.json"); }),
              HasSubstr("\"occurrence\" is 0; expected a whole number from 1 on"));
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
