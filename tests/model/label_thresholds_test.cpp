#include "diffuse/model/label_thresholds.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checkpoint_fixture.hpp"
#include "support/message_of.hpp"

namespace diffuse {
namespace {

using testing::checkpoint_error;
using ::testing::ElementsAre;
using ::testing::FloatEq;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::message_of;

const Labels kTwoLabels({"b c", "a"});

TEST(LabelThresholds, ReadBackByName) {
  const std::string text = thresholds_json(std::vector<float>{0.25F, 0.875F}, kTwoLabels);
  EXPECT_EQ(text, "{\n  \"b c\": 0.25,\n  \"a\": 0.875\n}\n");
  EXPECT_THAT(parse_thresholds(text, kTwoLabels, "t.json"), ElementsAre(0.25F, 0.875F));
  EXPECT_THAT(parse_thresholds("{\"a\": 1, \"b c\": 0, \"d\": 7}", kTwoLabels, "t.json"),
              ElementsAre(0, 1));
}

TEST(LabelThresholds, AreOfEveryLabelAndProbabilities) {
  for (const char* text : {"{\"b c\": 0.5}", "{\"b c\": 0.5, \"a\": 1.5}",
                           "{\"b c\": 0.5, \"a\": \"x\"}", "{\"b c\": 0.5, \"a\": -0.1}"})
    EXPECT_EQ(message_of<DataError>([&] { parse_thresholds(text, kTwoLabels, "t.json"); }),
              "t.json: the label \"a\" has no threshold; expected a number from 0 to 1.")
        << text;
}

class SeveralLabelsCheckpoint : public testing::CheckpointFixture {};

TEST_F(SeveralLabelsCheckpoint, HasThresholdsOrOneHalf) {
  EXPECT_FALSE(load_model(folder()).several_labels());
  EXPECT_THAT(load_model(folder()).thresholds, IsEmpty());
  config_.data.label_separator = "|";
  save(*model_);
  EXPECT_TRUE(load_model(folder()).several_labels());
  EXPECT_THAT(load_model(folder()).thresholds, ElementsAre(0.5F, 0.5F));
  dir_.write("step/thresholds.json", "{\"cat\": 0.75, \"dog\": 0.125}");
  EXPECT_THAT(load_model(folder()).thresholds, ElementsAre(FloatEq(0.125F), FloatEq(0.75F)))
      << "in the order of labels.txt";
  dir_.write("step/thresholds.json", "{}");
  EXPECT_THAT(checkpoint_error([&] { load_model(folder()); }),
              HasSubstr("thresholds.json: the label \"dog\" has no threshold"));
}

}  // namespace
}  // namespace diffuse
