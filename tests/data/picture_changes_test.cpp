#include "diffuse/data/picture_changes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "data/support.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/data/loading.hpp"

namespace diffuse {
namespace {

constexpr std::int64_t kSide = PictureChanges::kSide;

/// Every pixel says where it was: 32 y + x.
PackedRows numbered_pictures(std::size_t count) {
  std::vector<std::int32_t> tokens;
  std::vector<std::int32_t> offsets = {0};
  for (std::size_t b = 0; b < count; ++b) {
    for (std::int32_t i = 0; i < kSide * kSide; ++i) tokens.push_back(i);
    offsets.push_back(static_cast<std::int32_t>(tokens.size()));
  }
  return {tokens, offsets, std::vector<std::int64_t>(count)};
}

/// What a picture has become: where its pixel (16, 16) and the one to the right of it came from.
struct Change {
  bool flipped;
  std::int64_t down;
  std::int64_t right;

  Change(const PackedRows& rows, std::size_t picture) {
    const auto at = [&](std::int64_t y, std::int64_t x) {
      return rows.tokens()[picture * 1024 + static_cast<std::size_t>(y * kSide + x)];
    };
    const std::int64_t from_y = at(16, 16) / kSide, from_x = at(16, 16) % kSide;
    flipped = at(16, 17) < at(16, 16);
    down = 16 - from_y;
    right = flipped ? 16 - (kSide - 1 - from_x) : 16 - from_x;
  }
};

std::vector<std::uint64_t> seeds(std::size_t count) {
  std::vector<std::uint64_t> numbers(count);
  for (std::size_t b = 0; b < count; ++b) numbers[b] = b * 7919 + 3;
  return numbers;
}

TEST(PictureChanges, HalfAreMirrored) {
  PackedRows rows = numbered_pictures(400);
  change_pictures(rows, {.flip = true}, seeds(400));
  int flipped = 0;
  for (std::size_t b = 0; b < 400; ++b) {
    const Change change(rows, b);
    flipped += change.flipped;
    EXPECT_EQ(change.down, 0);
    EXPECT_EQ(change.right, 0);
    for (std::int32_t i = 0; i < 1024; ++i) {
      const std::int32_t y = i / 32, x = i % 32;
      ASSERT_EQ(rows.tokens()[b * 1024 + static_cast<std::size_t>(i)],
                32 * y + (change.flipped ? 31 - x : x));
    }
  }
  EXPECT_GT(flipped, 150);
  EXPECT_LT(flipped, 250);
}

TEST(PictureChanges, ShiftsInBothDirectionsAndRepeatsTheEdge) {
  PackedRows rows = numbered_pictures(300);
  change_pictures(rows, {.shift = 2}, seeds(300));
  std::set<std::pair<std::int64_t, std::int64_t>> found;
  for (std::size_t b = 0; b < 300; ++b) {
    const Change change(rows, b);
    EXPECT_FALSE(change.flipped);
    found.insert({change.down, change.right});
    for (std::int64_t y = 0; y < kSide; ++y)
      for (std::int64_t x = 0; x < kSide; ++x)
        ASSERT_EQ(rows.tokens()[b * 1024 + static_cast<std::size_t>(y * kSide + x)],
                  kSide * std::clamp<std::int64_t>(y - change.down, 0, 31) +
                      std::clamp<std::int64_t>(x - change.right, 0, 31));
  }
  EXPECT_EQ(found.size(), 25U);  // -2 … 2 each
}

TEST(PictureChanges, FollowTheSeed) {
  const PictureChanges changes{.flip = true, .shift = 4};
  EXPECT_TRUE(changes.any());
  EXPECT_FALSE(PictureChanges{}.any());
  PackedRows one = numbered_pictures(3), other = numbered_pictures(3), third = numbered_pictures(3);
  change_pictures(one, changes, seeds(3));
  change_pictures(other, changes, seeds(3));
  change_pictures(third, changes, std::vector<std::uint64_t>{11, 12, 13});
  EXPECT_TRUE(std::ranges::equal(one.tokens(), other.tokens()));
  EXPECT_FALSE(std::ranges::equal(one.tokens(), third.tokens()));
}

TEST(PictureChanges, OfOtherRowsAreRefused) {
  PackedRows rows(std::vector<std::int32_t>{1, 2, 3}, std::vector<std::int32_t>{0, 3},
                  std::vector<std::int64_t>{0});
  try {
    change_pictures(rows, {.flip = true}, std::vector<std::uint64_t>{1});
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_EQ(std::string(error.what()),
              "train.picture_flip and train.picture_shift change pictures of 32 x 32 pixels, but a "
              "row has 3 tokens; expected data.format = pixels and tokenizer.max_tokens = 1024");
  }
}

/// What is said of `config` before anything is read.
std::string settings_error(const Config& config) {
  return testing::message_of<DataError>([&] { check_data_settings(config); });
}

TEST(PictureChanges, AreRefusedBeforeAnythingIsReadWhereThereAreNoPictures) {
  Config config;
  config.tokenizer.type = TokenizerType::values;
  config.tokenizer.max_tokens = 1024;
  config.data.train = InputFiles(std::string("a.bin"));
  config.train.picture_flip = true;
  EXPECT_NO_THROW(check_data_settings(config));
  config.data.train.names = {"a.bin", "b.csv"};
  EXPECT_EQ(settings_error(config),
            "train.picture_flip: it changes pictures, but b.csv holds texts (data.format = csv); "
            "expected files of pixels (.bin), or --set train.picture_flip=false");
  config.data.format = FileFormat::pixels;
  EXPECT_NO_THROW(check_data_settings(config));
  config.train.pretrain = "2e";
  config.pretrain.texts = {"c.txt"};
  config.train.picture_shift = 2;
  EXPECT_EQ(settings_error(config),
            "train.picture_flip: it changes pictures, but pretrain.texts holds texts; expected "
            "none, or --set train.picture_flip=false --set train.picture_shift=0");
}

TEST(PictureChanges, AreRefusedOfPicturesThatAreCutOff) {
  Config config;
  config.data.train = InputFiles(std::string("a.bin"));
  config.train.picture_shift = 2;
  EXPECT_EQ(settings_error(config),
            "train.picture_shift: it changes whole pictures, of 1024 pixels, but "
            "tokenizer.max_tokens = 256 cuts them off; expected at least 1024, "
            "tokenizer.long_texts = pool, or --set train.picture_shift=0");
  config.tokenizer.long_texts = LongTexts::pool;
  EXPECT_NO_THROW(check_data_settings(config));
  config.tokenizer = {};
  config.tokenizer.max_tokens = 0;
  EXPECT_NO_THROW(check_data_settings(config));
}

}  // namespace
}  // namespace diffuse
