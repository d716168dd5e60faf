#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "data/support.hpp"
#include "diffuse/data/records.hpp"

namespace diffuse::testing {

inline DataConfig config(std::string label = "", std::vector<std::string> texts = {},
                         HeaderMode header = HeaderMode::automatic) {
  DataConfig data;
  data.label_column = std::move(label);
  data.text_columns = std::move(texts);
  data.header = header;
  return data;
}

/// Rows as "line label: text", bad ones as "line! problem; expected".
inline std::vector<std::string> read(const std::string& name, const std::string& content,
                                     const DataConfig& data = {}) {
  const TempDir dir;
  const auto reader = open_records(dir.write(name, content), data);
  std::vector<std::string> result;
  Example example;
  BadRow bad;
  for (;;) {
    const ReadStatus status = reader->next(example, bad);
    if (status == ReadStatus::end) return result;
    result.push_back(status == ReadStatus::row
                         ? std::to_string(example.line) + " " + example.label + ": " + example.text
                         : std::to_string(bad.line) + "! " + bad.problem + "; " + bad.expected);
  }
}

inline std::vector<std::string> csv(const std::string& content, const DataConfig& data = {}) {
  return read("a.csv", content, data);
}

inline std::vector<std::string> jsonl(const std::string& content, const DataConfig& data = {}) {
  return read("a.jsonl", content, data);
}

/// In words, which columns of a file are read.
inline std::string columns_text(const std::string& name, const std::string& content) {
  const TempDir dir;
  const auto reader = open_records(dir.write(name, content), {});
  EXPECT_EQ(reader->layout(), nullptr);
  Example example;
  BadRow bad;
  reader->next(example, bad);
  return reader->layout()->description;
}

/// Rows of `content` read by the columns of a training file.
inline std::vector<std::string> read_other(const std::string& training, const std::string& name,
                                           const std::string& content, bool need_label = true,
                                           const DataConfig& data = {}, bool own_settings = true) {
  const TempDir dir;
  Example example;
  BadRow bad;
  const std::string first = training.starts_with('{') ? "t.jsonl" : "t.csv";
  const auto train = open_records(dir.write(first, training), {});
  train->next(example, bad);
  ReadOptions options;
  options.layout = *train->layout();
  options.need_label = need_label;
  options.own_settings = own_settings;
  const auto reader = open_records(dir.write(name, content), data, options);
  std::vector<std::string> result;
  for (;;) {
    const ReadStatus status = reader->next(example, bad);
    if (status == ReadStatus::end) return result;
    result.push_back(status == ReadStatus::row ? example.label + ": " + example.text : bad.problem);
  }
}

inline const char* const kNamed = "label,text\nx,a\n";
inline const char* const kNumbered = "x,a b\ny,c\n";

}  // namespace diffuse::testing
