#include "diffuse/eval/missed_classes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace diffuse {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// Metrics of rows that are answered with `predicted`.
Metrics metrics_of(const std::vector<std::int32_t>& predicted,
                   const std::vector<std::int32_t>& gold, std::int64_t classes) {
  std::vector<float> probabilities(predicted.size() * static_cast<std::size_t>(classes));
  for (std::size_t i = 0; i < predicted.size(); ++i)
    probabilities[i * static_cast<std::size_t>(classes) + static_cast<std::size_t>(predicted[i])] =
        1;
  return compute_metrics(probabilities, gold, classes);
}

const std::vector<std::string> kNames = {"world", "sport", "money", "empty"};

TEST(MissedClasses, AreThoseOfRecallZeroMostRowsFirst) {
  // "sport" is never answered, "money" only for a row of "world", "empty" has no row.
  const Metrics metrics = metrics_of({0, 2, 0, 0, 0}, {0, 0, 1, 2, 2}, 4);
  EXPECT_THAT(missed_classes(metrics), ElementsAre(2, 1));
  EXPECT_EQ(missed_classes_text(metrics, kNames, "test"),
            "2 of 3 classes with test rows are never answered right: \"money\" (2 rows, predicted "
            "1 time, always wrongly), \"sport\" (1 row, never predicted)");
}

TEST(MissedClasses, ARowThatIsRightIsEnough) {
  const Metrics metrics = metrics_of({0, 1, 2, 0}, {0, 1, 2, 2}, 4);
  EXPECT_THAT(missed_classes(metrics), IsEmpty());
  EXPECT_EQ(missed_classes_text(metrics, kNames, "test"), "");
}

TEST(MissedClasses, OfManyTheFirstTenAreNamed) {
  std::vector<std::string> names;
  std::vector<std::int32_t> gold;
  for (std::int32_t c = 0; c < 14; ++c) {
    names.push_back(std::to_string(c));
    gold.push_back(c);
  }
  const Metrics metrics = metrics_of(std::vector<std::int32_t>(14, 0), gold, 14);
  EXPECT_THAT(missed_classes_text(metrics, names, "validation"),
              AllOf(HasSubstr("13 of 14 classes with validation rows are never answered right: "
                              "\"1\" (1 row, never predicted)"),
                    HasSubstr("\"10\""), Not(HasSubstr("\"11\"")), EndsWith(", and 3 more")));
}

}  // namespace
}  // namespace diffuse
