#include <gtest/gtest.h>

#include "diffuse/config/load.hpp"

namespace diffuse::testing {
namespace {

TEST(ConfigDifferences, NamesKeysValuesAndWhetherTheyMayChange) {
  const Config from = default_config({{"train.length", "3e"}});
  Config to = default_config({{"train.length", "5e"}, {"model.dilation", "1,2"}});
  EXPECT_TRUE(config_differences(from, from).empty());
  const auto found = config_differences(from, to);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].key, "model.dilation");
  EXPECT_EQ(found[0].from, "[1]");
  EXPECT_EQ(found[0].to, "[1,2]");
  EXPECT_FALSE(found[0].may_change);
  EXPECT_EQ(found[1].key, "train.length");
  EXPECT_EQ(found[1].from, "\"3e\"");
  EXPECT_TRUE(found[1].may_change);
}

TEST(ConfigDifferences, OnlyLengthsLoggingAndPlaceMayChange) {
  const std::string page = config_reference_markdown();
  EXPECT_NE(page.find("These keys may be\nchanged with it: `data.cache`, `data.cache_dir`, "
                      "`train.length`, `train.max_updates`, `train.patience`, "
                      "`train.checkpoint_every`, `train.keep_checkpoints`, `train.log_every`, "
                      "`train.tensorboard`, `train.kernel`, `train.device`, `train.threads`."),
            std::string::npos);
}

}  // namespace
}  // namespace diffuse::testing
