#include "diffuse/report/run_history.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "diffuse/base/error.hpp"
#include "support/temp_dir.hpp"

namespace diffuse {
namespace {

using ::testing::ElementsAre;

std::string start(int update) {
  return R"({"type":"start","time":"2026-11-25T04:00:00Z","update":)" + std::to_string(update) +
         R"(,"total_updates":30,"updates_per_epoch":10,"device":"cpu","precision":"fp32",)" +
         R"("threads":2,"parameter_count":1234})" + "\n";
}

std::string train(int update, const std::string& more = "") {
  return R"({"type":"train","update":)" + std::to_string(update) +
         R"(,"epoch":0.5,"loss":0.25,"lr":0.001,"grad_norm":1.5,"tokens_per_s":1000,"eta_s":12)" +
         more + "}\n";
}

std::string epoch(int update, const std::string& more = "") {
  return R"({"type":"epoch","update":)" + std::to_string(update) +
         R"(,"epoch":1,"train_loss":0.5,"train_accuracy":0.75,)" + more +
         R"("time_s":{"data":1,"forward":2,"backward":3,"optimizer":4,"evaluation":5},)" +
         R"("peak_memory_bytes":{"host_rss":7,"device_allocated":8,"device_reserved":9,)" +
         R"("device_used":10}})" + "\n";
}

const std::string kDone =
    R"({"type":"done","updates":30,"training_time_s":6.5,"best_update":20,"best_accuracy":0.9,)"
    R"("stopped_early":true,"stopped_by_signal":0})"
    "\n";

RunHistory read(const std::string& content) {
  const testing::TempDir dir;
  return read_run_history(dir.write("metrics.jsonl", content));
}

/// The message without the folder.
std::string history_fault(const std::string& content) {
  const testing::TempDir dir;
  const auto path = dir.write("metrics.jsonl", content);
  try {
    read_run_history(path);
  } catch (const DataError& error) {
    const std::string message = error.what();
    const std::string folder = dir.path().string() + "/";
    EXPECT_EQ(message.find(folder), 0U);
    return message.substr(folder.size());
  }
  return "no error";
}

std::vector<std::int64_t> updates(const std::vector<HistoryTrain>& lines) {
  std::vector<std::int64_t> all;
  for (const HistoryTrain& line : lines) all.push_back(line.update);
  return all;
}

TEST(RunHistory, EveryKeyOfEveryLine) {
  const RunHistory history = read(
      start(0) + train(5, R"(,"loss_scale":1024,"skipped_updates":3)") +
      epoch(10, R"("validation_accuracy":0.8,"validation_loss":0.6,"validation_macro_f1":0.79,)"
                R"("validation_ece":0.02,"best":true,)") +
      kDone);
  ASSERT_EQ(history.starts.size(), 1U);
  EXPECT_EQ(history.starts[0].time, "2026-11-25T04:00:00Z");
  EXPECT_EQ(history.starts[0].total_updates.value(), 30);
  EXPECT_EQ(history.starts[0].updates_per_epoch, 10);
  EXPECT_EQ(history.starts[0].device, "cpu");
  EXPECT_EQ(history.starts[0].precision, "fp32");
  EXPECT_EQ(history.starts[0].threads, 2);
  EXPECT_EQ(history.starts[0].parameter_count, 1234);
  ASSERT_EQ(history.train.size(), 1U);
  EXPECT_EQ(history.train[0].update, 5);
  EXPECT_EQ(history.train[0].epoch, 0.5);
  EXPECT_EQ(history.train[0].loss, 0.25);
  EXPECT_EQ(history.train[0].learning_rate, 0.001);
  EXPECT_EQ(history.train[0].gradient_norm, 1.5);
  EXPECT_EQ(history.train[0].tokens_per_s, 1000);
  EXPECT_EQ(history.train[0].eta_s.value(), 12);
  EXPECT_EQ(history.train[0].loss_scale.value(), 1024);
  EXPECT_EQ(history.train[0].skipped_updates.value(), 3);
  ASSERT_EQ(history.epochs.size(), 1U);
  const HistoryEpoch& line = history.epochs[0];
  EXPECT_EQ(line.update, 10);
  EXPECT_EQ(line.train_loss.value(), 0.5);
  EXPECT_EQ(line.train_accuracy.value(), 0.75);
  EXPECT_EQ(line.validation_accuracy.value(), 0.8);
  EXPECT_EQ(line.validation_loss.value(), 0.6);
  EXPECT_EQ(line.validation_macro_f1.value(), 0.79);
  EXPECT_EQ(line.validation_ece.value(), 0.02);
  EXPECT_TRUE(line.best);
  EXPECT_EQ(line.time.optimizer_s, 4);
  EXPECT_EQ(line.time.sum_s(), 15);
  EXPECT_EQ(line.memory.host_rss, 7);
  EXPECT_EQ(line.memory.device_allocated, 8);
  EXPECT_EQ(line.memory.device_reserved, 9);
  EXPECT_EQ(line.memory.device_used, 10);
  ASSERT_TRUE(history.done.has_value());
  EXPECT_EQ(history.done->updates, 30);
  EXPECT_EQ(history.done->training_time_s, 6.5);
  EXPECT_EQ(history.done->best_update.value(), 20);
  EXPECT_EQ(history.done->best_accuracy.value(), 0.9);
  EXPECT_TRUE(history.done->stopped_early);
}

TEST(RunHistory, WhatMayBeMissingOrNull) {
  const RunHistory history = read(
      R"({"type":"train","update":1,"epoch":1,"loss":null,"lr":0,"grad_norm":null,"tokens_per_s":1,"eta_s":null})"
      "\n"
      R"({"type":"epoch","update":1,"epoch":1,"train_loss":null,"time_s":{"data":0,"forward":0,"backward":0,"optimizer":0,"evaluation":0},"peak_memory_bytes":{"host_rss":1,"device_allocated":0,"device_reserved":0}})"
      "\n"
      R"({"type":"diverged","update":2,"loss":null,"lr":0.1,"grad_norm":null,"rows":[3,1]})"
      "\n"
      R"({"type":"done","updates":1,"training_time_s":1,"best_update":null,"best_accuracy":null})"
      "\n");
  EXPECT_TRUE(std::isnan(history.train.at(0).loss));
  EXPECT_FALSE(history.train[0].eta_s.has_value());
  EXPECT_FALSE(history.train[0].loss_scale.has_value());
  EXPECT_FALSE(history.epochs.at(0).train_loss.has_value());
  EXPECT_FALSE(history.epochs[0].validation_accuracy.has_value());
  EXPECT_FALSE(history.epochs[0].best);
  EXPECT_EQ(history.epochs[0].memory.device_used, 0);
  ASSERT_TRUE(history.divergence.has_value());
  EXPECT_TRUE(std::isnan(history.divergence->loss));
  EXPECT_THAT(history.divergence->rows, ElementsAre(3, 1));
  EXPECT_FALSE(history.done->best_update.has_value());
  EXPECT_TRUE(history.starts.empty());
}

TEST(RunHistory, UnknownTypesAndKeysArePassedOver) {
  const RunHistory history = read(R"({"type":"weather","update":"sunny"})"
                                  "\n" +
                                  train(1, R"(,"new":[1,{}])"));
  EXPECT_THAT(updates(history.train), ElementsAre(1));
}

TEST(RunHistory, AResumeTakesBackWhatCameAfterItsCheckpoint) {
  const RunHistory history = read(start(0) + train(5) + train(10) + epoch(10) + train(15) +
                                  epoch(20) + kDone + start(10) + train(15) + train(20));
  EXPECT_THAT(updates(history.train), ElementsAre(5, 10, 15, 20));
  EXPECT_EQ(history.epochs.size(), 1U);
  EXPECT_EQ(history.starts.size(), 2U);
  EXPECT_EQ(history.replaced_lines, 2);
  EXPECT_FALSE(history.done.has_value());
}

TEST(RunHistory, AResumeFromAnEarlierCheckpointTakesBackTheLaterResume) {
  const RunHistory history = read(start(0) + train(5) + start(20) + train(25) + start(10));
  ASSERT_EQ(history.starts.size(), 2U);
  EXPECT_EQ(history.starts[1].update, 10);
  EXPECT_THAT(updates(history.train), ElementsAre(5));
}

TEST(RunHistory, ACutOffLastLineIsLeftOut) {
  for (const std::string& rest : {std::string(R"({"type":"tra)"), std::string("{"),
                                  std::string(R"({"type":"train","update":)")}) {
    const RunHistory history = read(train(1) + rest);
    EXPECT_THAT(updates(history.train), ElementsAre(1));
    EXPECT_EQ(history.cut_off_lines, 1);
  }
}

TEST(RunHistory, ALastLineThatLacksItsLineBreakOnlyCounts) {
  std::string last = train(2);
  last.pop_back();
  const RunHistory history = read(train(1) + last);
  EXPECT_THAT(updates(history.train), ElementsAre(1, 2));
  EXPECT_EQ(history.cut_off_lines, 0);
}

TEST(RunHistory, ACutOffLineBeforeAResumeIsLeftOut) {
  const RunHistory history = read(start(0) + train(5) + "{\"type\":\"tra\n" + start(5) + train(6));
  EXPECT_THAT(updates(history.train), ElementsAre(5, 6));
  EXPECT_EQ(history.cut_off_lines, 1);
}

TEST(RunHistory, NoLines) {
  const RunHistory history = read("");
  EXPECT_TRUE(history.train.empty());
  EXPECT_EQ(history.cut_off_lines, 0);
}

TEST(RunHistory, DamagedLines) {
  EXPECT_EQ(history_fault(train(1) + "{\"type\":\n" + train(2)),
            "metrics.jsonl:2: not valid JSON at column 9; expected one JSON object a line.");
  EXPECT_EQ(history_fault("{\"type\":\n"),
            "metrics.jsonl:1: not valid JSON at column 9; expected one JSON object a line.");
  EXPECT_EQ(history_fault("{\n{\n" + start(0)),
            "metrics.jsonl:1: not valid JSON at column 2; expected one JSON object a line.");
  EXPECT_EQ(history_fault("\n"),
            "metrics.jsonl:1: not valid JSON at column 1; expected one JSON object a line.");
  EXPECT_EQ(history_fault("[1]\n"),
            "metrics.jsonl:1: array and no object; expected one JSON object a line.");
  EXPECT_EQ(history_fault("{\"type\":1e999}\n"),
            "metrics.jsonl:1: a number that is out of range; expected one JSON object a line.");
  EXPECT_EQ(history_fault(std::string("{}\0 \n", 5)),
            "metrics.jsonl:1: NUL character at column 3; expected one JSON object a line.");
  EXPECT_EQ(history_fault(R"({"type":"done","type":"start"})"
                          "\n"),
            "metrics.jsonl:1: the key \"type\" stands twice; expected one JSON object a line.");
  EXPECT_EQ(history_fault("{\"type\":\"\xFF\"}\n"),
            "metrics.jsonl:1: not valid JSON at column 10; expected one JSON object a line.");
}

TEST(RunHistory, WrongMembers) {
  EXPECT_EQ(history_fault("{}\n"), "metrics.jsonl:1: \"type\" is missing; expected text.");
  EXPECT_EQ(history_fault("{\"type\":3}\n"), "metrics.jsonl:1: \"type\" is 3; expected text.");
  EXPECT_EQ(history_fault(R"({"type":"train","update":-1})"
                          "\n"),
            "metrics.jsonl:1: \"update\" is -1; expected a whole number from 0 on.");
  EXPECT_EQ(history_fault(R"({"type":"train","update":1.5})"
                          "\n"),
            "metrics.jsonl:1: \"update\" is 1.5; expected a whole number from 0 on.");
  EXPECT_EQ(history_fault(R"({"type":"train","update":18446744073709551615})"
                          "\n"),
            "metrics.jsonl:1: \"update\" is 18446744073709551615; expected a whole number from 0 "
            "on.");
  EXPECT_EQ(history_fault(R"({"type":"train"})"
                          "\n"),
            "metrics.jsonl:1: \"update\" is missing; expected a whole number from 0 on.");
  EXPECT_EQ(history_fault(R"({"type":"train","update":1,"epoch":"x\u001b"})"
                          "\n"),
            "metrics.jsonl:1: \"epoch\" is \"x\\u001b\"; expected a number.");
  EXPECT_EQ(history_fault(R"({"type":"train","update":1,"epoch":1})"
                          "\n"),
            "metrics.jsonl:1: \"loss\" is missing; expected a number.");
  EXPECT_EQ(history_fault(train(1, R"(,"loss_scale":[[1]])")),
            "metrics.jsonl:1: \"loss_scale\" is a list; expected a number or null.");
  EXPECT_EQ(
      history_fault(train(1, R"(,"skipped_updates":{})")),
      "metrics.jsonl:1: \"skipped_updates\" is an object; expected a whole number from 0 on.");
  EXPECT_EQ(history_fault(epoch(1, R"("best":1,)")),
            "metrics.jsonl:1: \"best\" is 1; expected true or false.");
  EXPECT_EQ(history_fault(R"({"type":"epoch","update":1,"epoch":1,"time_s":4})"
                          "\n"),
            "metrics.jsonl:1: \"time_s\" is 4; expected an object.");
  EXPECT_EQ(history_fault(R"({"type":"epoch","update":1,"epoch":1,"time_s":{},)"
                          R"("peak_memory_bytes":{}})"
                          "\n"),
            "metrics.jsonl:1: time_s: \"data\" is missing; expected a number.");
  EXPECT_EQ(history_fault(R"({"type":"diverged","update":1,"loss":1,"lr":1,"grad_norm":1,"rows":5})"
                          "\n"),
            "metrics.jsonl:1: \"rows\" is 5; expected a list of numbers.");
}

TEST(RunHistory, DeepNestingIsNoCrash) {
  const std::string deep(200'000, '[');
  const std::string shut(200'000, ']');
  EXPECT_EQ(
      history_fault(R"({"type":)" + deep + shut + "}\n"),
      "metrics.jsonl:1: lists or objects stand in one another more than 32 deep; expected one "
      "JSON object a line.");
}

TEST(RunHistory, AFileThatIsNotThere) {
  const testing::TempDir dir;
  EXPECT_THROW(read_run_history(dir.path() / "metrics.jsonl"), SystemError);
}

}  // namespace
}  // namespace diffuse
