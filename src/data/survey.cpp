#include "diffuse/data/survey.hpp"

#include <map>
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

  void add(std::int64_t row, std::string text, std::int32_t label, DataSurvey& survey) {
    if (row % stride_ != 0) return;
    bytes_ += text.size();
    survey.sample_texts.push_back(std::move(text));
    survey.sample_labels.push_back(label);
    while (survey.sample_texts.size() > 1 &&
           (survey.sample_texts.size() > most_rows_ || bytes_ > most_bytes_))
      halve(survey);
  }

 private:
  void halve(DataSurvey& survey) {
    std::size_t kept = 0;
    bytes_ = 0;
    for (std::size_t i = 0; i < survey.sample_texts.size(); i += 2, ++kept) {
      if (i > 0) survey.sample_texts[kept] = std::move(survey.sample_texts[i]);
      survey.sample_labels[kept] = survey.sample_labels[i];
      bytes_ += survey.sample_texts[kept].size();
    }
    survey.sample_texts.resize(kept);
    survey.sample_labels.resize(kept);
    stride_ *= 2;
  }

  std::size_t most_rows_;
  std::size_t most_bytes_;
  std::size_t bytes_ = 0;
  std::int64_t stride_ = 1;
};

}  // namespace

DataSurvey survey_training_file(const std::filesystem::path& path, const DataConfig& data,
                                std::size_t most_rows, std::size_t most_bytes,
                                const std::vector<bool>* rows) {
  DataSurvey survey;
  EvenSample sample(most_rows, most_bytes);
  std::map<std::string, std::int32_t> numbers;
  const std::unique_ptr<RecordReader> reader = open_records({path}, data);
  Example example;
  BadRow bad;
  std::int64_t usable = 0;
  while (data.max_rows == 0 || usable < data.max_rows) {
    const ReadStatus status = reader->next(example, bad);
    if (status == ReadStatus::end) break;
    if (status == ReadStatus::bad) continue;
    const auto place = static_cast<std::size_t>(usable++);
    if (rows != nullptr && !(place < rows->size() && (*rows)[place])) continue;
    const auto [found, added] =
        numbers.emplace(example.label, static_cast<std::int32_t>(numbers.size()));
    if (added) survey.class_names.push_back(example.label);
    survey.text_bytes += std::ssize(example.text);
    sample.add(survey.rows++, std::move(example.text), found->second, survey);
  }
  return survey;
}

}  // namespace diffuse
