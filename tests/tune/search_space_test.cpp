#include "diffuse/tune/search_space.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "diffuse/base/files.hpp"
#include "diffuse/config/load.hpp"

namespace diffuse {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;
using ::testing::SizeIs;

std::vector<std::string> keys_of(const std::vector<TunedKey>& space) {
  std::vector<std::string> keys;
  for (const TunedKey& tuned : space) keys.push_back(tuned.key);
  return keys;
}

const TunedKey& key_of(const std::vector<TunedKey>& space, const std::string& key) {
  return *std::find_if(space.begin(), space.end(),
                       [&](const TunedKey& tuned) { return tuned.key == key; });
}

TEST(SearchSpace, EachValueIsOneThatTheConfigurationTakes) {
  const Config start = default_config({{"ngrams.max", "2"}, {"train.length", "3e"}});
  for (const TunedKey& tuned : search_space(start, {})) {
    EXPECT_THAT(tuned.values, SizeIs(::testing::Ge(2))) << tuned.key;
    for (const std::string& value : tuned.values)
      EXPECT_NO_THROW(parse_config(config_json(start), "test", {{tuned.key, value}}))
          << tuned.key << " = " << value;
  }
}

TEST(SearchSpace, TheDocumentNamesEachKey) {
  const std::string page = read_file(DIFFUSE_SOURCE_DIR "/docs/autotune.md");
  for (const TunedKey& tuned :
       search_space(default_config({{"ngrams.max", "2"}, {"train.length", "3e"}}), {}))
    EXPECT_THAT(page, ::testing::HasSubstr("`" + tuned.key + "`"));
}

TEST(SearchSpace, LeavesOutWhatTheModelHasNotAndWhatIsFixed) {
  const Config both = default_config({{"ngrams.max", "2"}});
  EXPECT_THAT(keys_of(search_space(both, {"model.steps"})),
              ::testing::AllOf(Contains("model.dim"), Contains("ngrams.max"),
                               Not(Contains("model.steps"))));
  const Config network = default_config({{"ngrams.max", "0"}});
  EXPECT_THAT(keys_of(search_space(network, {})), Not(Contains("ngrams.cost")));
  const Config linear = default_config({{"ngrams.max", "2"}, {"model.dim", "0"}});
  EXPECT_THAT(keys_of(search_space(linear, {})),
              ElementsAre("ngrams.max", "ngrams.char_max", "ngrams.weighting", "ngrams.min_count",
                          "ngrams.cost"));
}

TEST(SearchSpace, TriesHalfAndTwiceTheLengthInItsOwnUnit) {
  const auto lengths = [](const char* length) {
    return key_of(search_space(default_config({{"train.length", length}}), {}), "train.length")
        .values;
  };
  EXPECT_THAT(lengths("5e"), ElementsAre("2.5e", "5e", "10e"));
  EXPECT_THAT(lengths("300u"), ElementsAre("150u", "300u", "600u"));
  EXPECT_THAT(lengths("1m"), ElementsAre("0.5m", "1m", "2m"));
  EXPECT_THAT(keys_of(search_space(default_config({{"train.length", "auto"}}), {})),
              Not(Contains("train.length")));
}

TEST(ChangedAtRandom, ChangesAFewKeysToValuesOfTheSpace) {
  const Config start = default_config({{"ngrams.max", "2"}, {"train.length", "4e"}});
  const std::vector<TunedKey> space = search_space(start, {});
  Random random(7);
  std::map<std::size_t, int> counts;
  std::set<std::string> seen;
  for (int i = 0; i < 400; ++i) {
    const auto changed = changed_at_random(start, space, random);
    ASSERT_TRUE(changed);
    const std::vector<ConfigDifference> differences = config_differences(start, *changed);
    ASSERT_FALSE(differences.empty());
    ++counts[differences.size()];
    for (const ConfigDifference& difference : differences) {
      seen.insert(difference.key);
      EXPECT_THAT(keys_of(space), Contains(difference.key));
    }
  }
  EXPECT_GT(counts[1], counts[2]);
  EXPECT_GT(counts[2], counts[3]);
  EXPECT_GT(counts[2], 0);
  EXPECT_LE(counts.rbegin()->first, 6U);
  EXPECT_EQ(seen.size(), space.size());
}

TEST(ChangedAtRandom, DependsOnTheSeedAlone) {
  const Config start = default_config({});
  const std::vector<TunedKey> space = search_space(start, {});
  const auto draws = [&](std::uint64_t seed) {
    Random random(seed);
    std::string text;
    for (int i = 0; i < 10; ++i) text += config_json(*changed_at_random(start, space, random));
    return text;
  };
  EXPECT_EQ(draws(1), draws(1));
  EXPECT_NE(draws(1), draws(2));
}

TEST(ChangedAtRandom, GivesNothingWhereAllIsAsItIsOrRefused) {
  Random random(1);
  const Config start = default_config({});
  EXPECT_FALSE(changed_at_random(start, {}, random));
  EXPECT_FALSE(changed_at_random(start, {{"model.dim", {"64"}}}, random));
  // The one combination that is refused: hidden layers of a width that no tensor has.
  EXPECT_FALSE(changed_at_random(start, {{"model.dim", {"-3"}}}, random));
}

TEST(ChangesText, NamesKeysAndNewValues) {
  const Config start = default_config({});
  EXPECT_EQ(changes_text(start, start), "as it began");
  EXPECT_EQ(changes_text(start, default_config({{"train.batch_size", "32"}, {"model.dim", "128"}})),
            "model.dim = 128, train.batch_size = 32");
}

}  // namespace
}  // namespace diffuse
