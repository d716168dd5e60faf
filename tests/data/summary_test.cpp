#include "diffuse/data/summary.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace diffuse {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Ids = std::vector<std::int32_t>;

constexpr std::int32_t kUnknown = 9;

TokenizerConfig most_tokens(std::int64_t tokens) {
  TokenizerConfig config;
  config.max_tokens = tokens;
  return config;
}

TEST(Summary, CountsWhatIsReadAndWhatIsNot) {
  EncodedDataset data;
  data.append(Ids{1, kUnknown, 2}, 0, 1, 5);
  data.append(Ids{kUnknown}, 1, 2, 6);
  data.set_cut_texts({1, 5, 2});
  data.set_skipped_rows({1}, 1);
  const PartSummary part = summarize("data.test", view_all(data), kUnknown, most_tokens(3));
  EXPECT_EQ(part.rows, 2);
  EXPECT_EQ(part.tokens, 4);
  EXPECT_EQ(part.unknown_tokens, 2);
  EXPECT_EQ(part.bad_rows, 1);
  EXPECT_DOUBLE_EQ(part.unknown_share(), 0.5);
  EXPECT_DOUBLE_EQ(part.unread_share(), 2.0 / 6);
  EXPECT_EQ(part_text(part),
            "2 rows, 4 tokens (1 bad row skipped, 50 % unknown words, 1 text cut, 33 % unread)");
  // What is of the whole file is not of a part of it.
  const PartSummary half =
      summarize("data.validation", {&data, {0}}, kUnknown, most_tokens(3), false);
  EXPECT_EQ(half.tokens, 3);
  EXPECT_EQ(half.cut.rows, 0);
  EXPECT_EQ(half.bad_rows, 0);
  EXPECT_EQ(part_text(summarize("data.test", {}, kUnknown, most_tokens(3))), "none");
  EXPECT_EQ(part_text({.name = "data.test", .rows = 1, .tokens = 1}), "1 row, 1 token");
}

TEST(Summary, CountsTextsThatAreReadInPieces) {
  EncodedDataset data;
  data.append(Ids{1, 2, 3, 4, 5, 6, 7}, 0, 1);
  data.append(Ids{1, 2, 3}, 1, 2);
  TokenizerConfig pool = most_tokens(3);
  pool.long_texts = LongTexts::pool;
  const PartSummary part = summarize("data.test", view_all(data), kUnknown, pool);
  EXPECT_EQ(part.pooled_rows, 1);
  EXPECT_EQ(part.pieces, 3);
  EXPECT_EQ(part_text(part), "2 rows, 10 tokens (1 text in 3 pieces)");
  const std::vector<DataNote> notes = data_notes(part);
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_FALSE(notes[0].warning);
  EXPECT_EQ(notes[0].text,
            "data.test: 1 of 2 texts are longer than tokenizer.max_tokens = 3: the network reads "
            "them in 3 pieces and answers with the mean of a text's logits (tokenizer.long_texts = "
            "pool)");
}

std::vector<std::string> texts(const std::vector<DataNote>& notes, bool warnings) {
  std::vector<std::string> found;
  for (const DataNote& note : notes) {
    if (note.warning == warnings) found.push_back(note.text);
  }
  return found;
}

TEST(DataNotes, CutTextsAreAWarningWhereMuchIsNotRead) {
  PartSummary part{.name = "data.train",
                   .rows = 38,
                   .tokens = 9728,
                   .max_tokens = 256,
                   .file_rows = 40,
                   .file_tokens = 10240};
  EXPECT_THAT(data_notes(part), IsEmpty());
  part.cut = {40, 13200, 2960};
  EXPECT_THAT(
      texts(data_notes(part), true),
      ElementsAre("data.train: 40 of 40 texts are longer than tokenizer.max_tokens = 256; 22 % of "
                  "their tokens are not read (tokenizer.max_tokens=0 or tokenizer.long_texts=pool "
                  "reads all)"));
  part.file_tokens = 100'000;  // of many texts a few are long: worth a line, no warning
  EXPECT_THAT(texts(data_notes(part), true), IsEmpty());
  EXPECT_THAT(texts(data_notes(part), false), SizeIs(1));
}

TEST(DataNotes, UnknownWordsAreAWarningFromAFifthOn) {
  PartSummary part{.name = "mail.csv", .rows = 10, .tokens = 100, .unknown_tokens = 19};
  EXPECT_THAT(data_notes(part), IsEmpty());
  part.unknown_tokens = 31;
  EXPECT_THAT(texts(data_notes(part), true),
              ElementsAre("mail.csv: 31 % of the tokens are words that are not in the vocabulary; "
                          "they all look the same to the model"));
}

TEST(DataNotes, TextsThatStandInTrainingAreAWarningFromAHundredthOn) {
  PartSummary part{.name = "data.test", .rows = 1000, .tokens = 5000, .training_rows = 9};
  EXPECT_THAT(texts(data_notes(part), false),
              ElementsAre("data.test: 9 of 1,000 texts stand in data.train, too: what is right on "
                          "them may be remembered"));
  part.training_rows = 10;
  part.relabelled_rows = 3;
  EXPECT_THAT(texts(data_notes(part), true),
              ElementsAre("data.test: 10 of 1,000 texts stand in data.train, too, 3 of them with "
                          "another label there: what is right on them may be remembered"));
}

TEST(DataNotes, TextsOfSeveralLabelsAreAWarningFromAHundredthOn) {
  PartSummary part{.name = "mail.csv", .rows = 200, .file_rows = 200, .ambiguous = {1, 2}};
  EXPECT_THAT(texts(data_notes(part), true),
              ElementsAre("mail.csv: 1 text has more than one label (2 of its rows): no model is "
                          "right on all of them"));
  part.file_rows = 1000;
  part.ambiguous = {2, 5};
  EXPECT_THAT(texts(data_notes(part), false),
              ElementsAre("mail.csv: 2 texts have more than one label (5 of its rows): no model is "
                          "right on all of them"));
}

TEST(DataNotes, OfAllPartsTellClassesWithoutAValidationRow) {
  const Labels labels({"a", "b", "c", "d", "e", "f", "g"});
  DataSummary summary;
  summary.train.rows = 190;
  summary.validation.rows = 10;
  EXPECT_THAT(data_notes(summary, labels), IsEmpty());
  summary.unvalidated_classes = {1};
  EXPECT_THAT(
      texts(data_notes(summary, labels), true),
      ElementsAre("no validation row has the class \"b\": the checkpoint is chosen as if it "
                  "did not matter"));
  summary.unvalidated_classes = {0, 1, 2, 3, 4, 5, 6};
  EXPECT_THAT(texts(data_notes(summary, labels), true).at(0),
              ::testing::StartsWith("no validation row has the class \"a\", \"b\", \"c\", \"d\", "
                                    "\"e\", and 2 more: "));
}

}  // namespace
}  // namespace diffuse
