#include "data/cache.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "data/cache_file.hpp"
#include "data/support.hpp"

namespace diffuse {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::LogCapture;
using testing::TempDir;

const std::string kKey(32, 'a');

EncodedDataset sample(std::size_t rows, bool with_targets = false) {
  const std::vector<ClassShare> shares = {{0, 0.25F}, {1, 0.75F}};
  EncodedDataset data;
  for (std::size_t i = 0; i < rows; ++i) {
    const std::vector<std::int32_t> tokens(1 + i % 5, static_cast<std::int32_t>(i % 7));
    RowTarget target(static_cast<std::int32_t>(i % 2));
    if (with_targets) {
      target.weight = static_cast<float>(i % 4);
      target.shares = std::span(shares).first(i % 3);
      target.soft_only = i % 3 > 0 && i % 2 == 0;
    }
    data.append(tokens, target, static_cast<std::uint32_t>(i + 1),
                static_cast<std::uint32_t>(i % 3));
  }
  return data;
}

void expect_equal(const EncodedDataset& a, const EncodedDataset& b) {
  ASSERT_EQ(a.size(), b.size());
  EXPECT_EQ(a.token_count(), b.token_count());
  for (std::size_t i = 0; i < a.size(); ++i) {
    ASSERT_EQ(testing::tokens_of(a, i), testing::tokens_of(b, i));
    ASSERT_EQ(a.label(i), b.label(i));
    ASSERT_EQ(a.line(i), b.line(i));
    ASSERT_EQ(a.mark(i), b.mark(i));
    ASSERT_EQ(a.targets().weight(i), b.targets().weight(i));
    ASSERT_EQ(a.targets().soft_only(i), b.targets().soft_only(i));
    ASSERT_TRUE(std::ranges::equal(a.targets().shares(i), b.targets().shares(i),
                                   [](const ClassShare& x, const ClassShare& y) {
                                     return x.label == y.label && x.share == y.share;
                                   }));
  }
}

class Cache : public ::testing::Test {
 protected:
  EncodedCache cache() const {
    DataConfig data;
    data.cache_dir = (dir_.path() / "cache" / "deep").string();
    return EncodedCache(data);
  }
  std::filesystem::path file() const { return cache().entry(kKey) / "encoded.bin"; }
  /// Puts `content` in the entry's place, without the syncing that a real write does.
  void overwrite(const std::string& content) const {
    dir_.write(std::filesystem::relative(file(), dir_.path()).string(), content);
  }
  void store(const EncodedDataset& data, std::string_view vocab = "") const {
    cache().store(kKey, "data.train", data, Labels({"x", "y"}), 7, vocab);
  }

  TempDir dir_;
};

TEST_F(Cache, GivesBackWeightsAndSoftLabels) {
  const EncodedDataset data = sample(5000, true);
  store(data);
  const auto found = cache().find(kKey, "data.train");
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->data->targets().weighted());
  EXPECT_TRUE(found->data->targets().soft());
  expect_equal(*found->data, data);
}

TEST_F(Cache, GivesBackWhatWasStored) {
  EXPECT_FALSE(cache().find(kKey, "data.train"));
  EncodedDataset data = sample(5000);
  data.set_cut_texts({3, 40, 7});
  store(data);
  const auto found = cache().find(kKey, "data.train");
  ASSERT_TRUE(found);
  expect_equal(*found->data, data);
  EXPECT_EQ(found->data->cut_texts().rows, 3);
  EXPECT_EQ(found->data->cut_texts().tokens, 40);
  EXPECT_EQ(found->data->cut_texts().unread_tokens, 7);
  EXPECT_EQ(found->labels.names(), (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(found->vocab_size, 7);
  EXPECT_TRUE(found->vocab.empty());
  EXPECT_FALSE(cache().find(std::string(32, 'b'), "data.train"));
}

TEST_F(Cache, KeepsTheVocabulary) {
  store(sample(3), "one\ntwo\n");
  const auto found = cache().find(kKey, "data.train");
  ASSERT_TRUE(found);
  EXPECT_EQ(read_file(found->vocab), "one\ntwo\n");
  write_file_atomically(found->vocab, "one\nTwo\n");
  const LogCapture log;
  EXPECT_FALSE(cache().find(kKey, "data.train"));
  EXPECT_THAT(log.text(), HasSubstr("its vocabulary is damaged"));
}

TEST_F(Cache, EveryDamagedByteIsFound) {
  store(sample(20, true));
  const std::string good = read_file(file());
  const LogCapture log;
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (const int flip : {0x01, 0x80}) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ flip);
      overwrite(bad);
      ASSERT_FALSE(cache().find(kKey, "data.train")) << "byte " << i;
    }
  }
  EXPECT_THAT(log.text(), HasSubstr("is not used and made anew: its checksum is wrong"));
}

TEST_F(Cache, EveryTruncationIsFound) {
  const LogCapture log;
  store(sample(20, true));
  const std::string good = read_file(file());
  for (std::size_t length = 0; length < good.size(); ++length) {
    overwrite(good.substr(0, length));
    ASSERT_FALSE(cache().find(kKey, "data.train")) << "length " << length;
  }
  overwrite(good + "x");
  ASSERT_FALSE(cache().find(kKey, "data.train"));
  std::filesystem::remove(file());
  ASSERT_FALSE(cache().find(kKey, "data.train"));
  store(sample(20));
  EXPECT_TRUE(cache().find(kKey, "data.train"));
}

// A right checksum does not make the numbers right.
TEST_F(Cache, NumbersAreCheckedToo) {
  const auto damage_of = [&](const EncodedDataset& data, std::int64_t classes,
                             std::int64_t vocab_size) -> std::string {
    CacheContent header;
    header.key = kKey;
    header.labels = "x\ny\n";
    header.classes = classes;
    header.vocab_size = vocab_size;
    const auto path = dir_.path() / "made.bin";
    write_cache_file(path, header, data);
    try {
      read_cache_file(path);
    } catch (const DamagedCache& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(damage_of(sample(20), 2, 7), "");
  EXPECT_EQ(damage_of(sample(20), 1, 7), "a label is out of range");
  EXPECT_EQ(damage_of(sample(20), 2, 6), "a token is not in the vocabulary");
  EncodedDataset negative;
  negative.append(std::vector<std::int32_t>{-1}, 0, 1);
  EXPECT_EQ(damage_of(negative, 2, 7), "a token is not in the vocabulary");
  EncodedDataset unlabelled;
  unlabelled.append(std::vector<std::int32_t>{1}, -1, 1);
  EXPECT_EQ(damage_of(unlabelled, 2, 7), "");  // of a class that the model lacks
  EncodedDataset empty_row;
  empty_row.append({}, 0, 1);
  EXPECT_EQ(damage_of(empty_row, 2, 7), "a row's length is wrong");
  RowTarget target(0);
  target.weight = -1;
  EncodedDataset weighted;
  weighted.append(std::vector<std::int32_t>{1}, target, 1);
  EXPECT_EQ(damage_of(weighted, 2, 7), "a weight is out of range");
  for (const ClassShare& share : {ClassShare{2, 1}, ClassShare{-1, 1}, ClassShare{0, -1}}) {
    EncodedDataset soft;
    target = RowTarget(0);
    target.shares = {&share, 1};
    soft.append(std::vector<std::int32_t>{1}, target, 1);
    EXPECT_EQ(damage_of(soft, 2, 7), "a soft label is wrong");
  }
}

TEST_F(Cache, AnEntryUnderAnotherKeyIsNotUsed) {
  store(sample(3));
  const std::string other(32, 'b');
  std::filesystem::rename(cache().entry(kKey), cache().entry(other));
  const LogCapture log;
  EXPECT_FALSE(cache().find(other, "data.train"));
  EXPECT_THAT(log.text(), HasSubstr("it belongs to other data"));
}

TEST_F(Cache, AnUnwritableFolderIsAWarning) {
  DataConfig data;
  data.cache_dir = (dir_.write("file", "not a folder") / "cache").string();
  const LogCapture log;
  EncodedCache(data).store(kKey, "data.train", sample(3), Labels({"x", "y"}), 7, "");
  EXPECT_THAT(log.text(), HasSubstr("data.train: not kept in the cache: "));
  EXPECT_FALSE(EncodedCache(data).find(kKey, "data.train"));
}

TEST_F(Cache, NothingIsLeftBesideTheEntries) {
  store(sample(3));
  store(sample(4));
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(cache().entry(kKey).parent_path())) {
    names.push_back(entry.path().filename().string());
  }
  EXPECT_EQ(names, std::vector<std::string>{kKey});
  EXPECT_EQ(cache().find(kKey, "data.train")->data->size(), 4u);
}

TEST_F(Cache, WhatAKilledProcessLeftOfAnEntryIsRemoved) {
  namespace fs = std::filesystem;
  store(sample(3));
  const fs::path folder = cache().entry(kKey).parent_path();
  const auto leave = [&](const std::string& name, bool old) {
    const fs::path left = folder / name;
    const fs::path file =
        dir_.write(fs::relative(left / "encoded.bin", dir_.path()).string(), "half an entry");
    const auto written = fs::file_time_type::clock::now() - std::chrono::hours(old ? 2 : 0);
    fs::last_write_time(file, written);
    fs::last_write_time(left, fs::file_time_type::clock::now() - std::chrono::hours(2));
    return left;
  };
  const std::string gone = ".tmp-4194305-";  // a number that no process has
  const fs::path killed = leave("." + kKey + gone + "0", true);
  const std::vector<fs::path> others = {
      leave("." + kKey + gone + "1", false),
      leave("." + kKey + ".tmp-" + std::to_string(::getpid()) + "-77", true),
      leave("." + std::string(32, 'b') + gone + "0", true),
      leave("." + kKey + ".tmp-x", true),
  };
  store(sample(4));
  EXPECT_FALSE(fs::exists(killed));
  for (const fs::path& other : others) EXPECT_TRUE(fs::exists(other)) << other;
  EXPECT_EQ(cache().find(kKey, "data.train")->data->size(), 4u);
}

TEST_F(Cache, CanBeOff) {
  DataConfig data;
  data.cache = false;
  data.cache_dir = dir_.path().string();
  const EncodedCache off(data);
  EXPECT_FALSE(off.enabled());
  off.store(kKey, "data.train", sample(3), Labels({"x", "y"}), 7, "");
  EXPECT_FALSE(off.find(kKey, "data.train"));
  EXPECT_TRUE(std::filesystem::is_empty(dir_.path()));
}

/// Sets an environment variable for a scope; null unsets it.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) {
    if (const char* old = std::getenv(name)) old_ = old;
    value == nullptr ? unsetenv(name) : setenv(name, value, 1);
  }
  ~Variable() { old_ ? setenv(name_, old_->c_str(), 1) : unsetenv(name_); }

 private:
  const char* name_;
  std::optional<std::string> old_;
};

TEST(CacheFolder, FollowsTheEnvironment) {
  const Variable home("HOME", "/home/someone");
  {
    const Variable cache("XDG_CACHE_HOME", "/caches");
    EXPECT_EQ(EncodedCache(DataConfig{}).entry("k"), "/caches/diffuse/k");
  }
  const Variable cache("XDG_CACHE_HOME", nullptr);
  EXPECT_EQ(EncodedCache(DataConfig{}).entry("k"), "/home/someone/.cache/diffuse/k");
  const Variable homeless("HOME", nullptr);
  const LogCapture log;
  EXPECT_FALSE(EncodedCache(DataConfig{}).enabled());
  EXPECT_THAT(log.text(), HasSubstr("neither data.cache_dir nor HOME is set"));
}

TEST(CacheKey, DependsOnEveryPartAndItsBorders) {
  EXPECT_EQ(cache_key({"a", "b"}).size(), 32u);
  EXPECT_EQ(cache_key({"a", "b"}), cache_key({"a", "b"}));
  EXPECT_NE(cache_key({"a", "b"}), cache_key({"ab"}));
  EXPECT_NE(cache_key({"a", "b"}), cache_key({"a", "c"}));
  EXPECT_NE(cache_key({"a"}), cache_key({"a", ""}));
}

}  // namespace
}  // namespace diffuse
