#include "diffuse/data/survey.hpp"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "diffuse/data/records.hpp"

namespace diffuse {
namespace {

/// Every `stride`-th row, where the stride doubles as the rows become too many.
class EvenSample {
 public:
  EvenSample(std::size_t most_rows, std::size_t most_bytes)
      : most_rows_(most_rows), most_bytes_(most_bytes) {}

  /// `list`: all labels of a text that may have several; null where it has one.
  void add(std::int64_t row, std::string text, std::int32_t label,
           const std::vector<std::int32_t>* list, DataSurvey& survey) {
    if (row % stride_ != 0) return;
    bytes_ += text.size();
    survey.sample_texts.push_back(std::move(text));
    survey.sample_labels.push_back(label);
    if (list != nullptr) survey.sample_label_lists.push_back(*list);
    while (survey.sample_texts.size() > 1 &&
           (survey.sample_texts.size() > most_rows_ || bytes_ > most_bytes_))
      halve(survey);
  }

 private:
  template <class Value>
  static void keep_every_second(std::vector<Value>& values) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < values.size(); i += 2, ++kept)
      if (i > 0) values[kept] = std::move(values[i]);
    values.resize(kept);
  }

  void halve(DataSurvey& survey) {
    keep_every_second(survey.sample_texts);
    keep_every_second(survey.sample_labels);
    keep_every_second(survey.sample_label_lists);
    bytes_ = 0;
    for (const std::string& text : survey.sample_texts) bytes_ += text.size();
    stride_ *= 2;
  }

  std::size_t most_rows_;
  std::size_t most_bytes_;
  std::size_t bytes_ = 0;
  std::int64_t stride_ = 1;
};

}  // namespace

DataSurvey survey_training_file(const InputFiles& files, const DataConfig& data,
                                std::size_t most_rows, std::size_t most_bytes,
                                const std::vector<bool>* rows) {
  DataSurvey survey;
  EvenSample sample(most_rows, most_bytes);
  std::map<std::string, std::int32_t> numbers;
  const std::unique_ptr<RecordReader> reader =
      open_record_files(find_files(files, "data.train"), data);
  const bool several = !data.label_separator.empty();
  std::vector<std::int32_t> list;
  Example example;
  BadRow bad;
  std::int64_t usable = 0;
  for (std::size_t place = 0; data.max_rows == 0 || usable < data.max_rows; ++place) {
    const ReadStatus status = reader->next(example, bad);
    if (status == ReadStatus::end) break;
    if (status == ReadStatus::bad) continue;
    if (rows != nullptr && !(place < rows->size() && (*rows)[place])) continue;
    ++usable;
    const auto number_of = [&](const std::string& label) {
      const auto [found, added] = numbers.emplace(label, static_cast<std::int32_t>(numbers.size()));
      if (added) survey.class_names.push_back(label);
      return found->second;
    };
    survey.text_bytes += std::ssize(example.text);
    if (several) {
      list.clear();
      for (const std::string& label : example.labels) list.push_back(number_of(label));
      sample.add(survey.rows++, std::move(example.text), list.empty() ? -1 : list.front(), &list,
                 survey);
    } else {
      sample.add(survey.rows++, std::move(example.text), number_of(example.label), nullptr, survey);
    }
  }
  return survey;
}

}  // namespace diffuse
