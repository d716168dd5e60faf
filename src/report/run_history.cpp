#include "diffuse/report/run_history.hpp"

#include <fmt/core.h>

#include <string>
#include <string_view>
#include <utility>

#include "base/json_fields.hpp"
#include "base/json_reader.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/base/files.hpp"
#include "line_fields.hpp"

namespace diffuse {
namespace {

/// Reads what `visit_fields` offers.
class LineReader {
 public:
  explicit LineReader(const JsonFields& json) : json_(json) {}

  void operator()(const char* key, double& value) { value = json_.number(key); }
  void operator()(const char* key, std::int64_t& value) { value = json_.count(key); }
  void operator()(const char* key, std::string& value) { value = json_.text(key); }
  void operator()(const char* key, std::vector<std::int64_t>& value) { value = json_.counts(key); }
  void operator()(const char* key, std::optional<double>& value) {
    value = json_.optional_number(key);
  }
  void operator()(const char* key, std::optional<std::int64_t>& value) {
    value = json_.optional_count(key);
  }
  template <class Value>
  void if_any(const char* key, std::optional<Value>& value) {
    (*this)(key, value);
  }
  void added_later(const char* key, bool& value) { value = json_.optional_flag(key); }
  void added_later(const char* key, std::int64_t& value) {
    value = json_.optional_count(key).value_or(0);
  }
  template <class Line>
  void object(const char* key, Line& line) {
    const JsonFields inside = json_.object(key);
    LineReader reader(inside);
    visit_fields(line, reader);
  }
  template <class Line>
  void object(const char* key, std::optional<Line>& line) {
    const std::optional<JsonFields> inside = json_.optional_object(key);
    if (!inside) return;
    LineReader reader(*inside);
    visit_fields(line.emplace(), reader);
  }

 private:
  const JsonFields& json_;
};

template <class Line>
Line line_of(const JsonFields& json) {
  Line line;
  LineReader reader(json);
  visit_fields(line, reader);
  return line;
}

/// Takes back what a resume at `update` made again.
void rewind(RunHistory& history, std::int64_t update) {
  const auto later = [update](const auto& line) { return line.update > update; };
  history.replaced_lines += static_cast<std::int64_t>(std::erase_if(history.train, later) +
                                                      std::erase_if(history.epochs, later));
  std::erase_if(history.starts, later);
  history.divergence.reset();
  history.done.reset();
}

void add_line(RunHistory& history, const std::string& type, const JsonFields& json) {
  if (type == "start") {
    HistoryStart start = line_of<HistoryStart>(json);
    rewind(history, start.update);
    history.starts.push_back(std::move(start));
  } else if (type == "train") {
    history.train.push_back(line_of<HistoryTrain>(json));
  } else if (type == "epoch") {
    history.epochs.push_back(line_of<HistoryEpoch>(json));
  } else if (type == "diverged") {
    history.divergence = line_of<HistoryDivergence>(json);
  } else if (type == "done") {
    history.done = line_of<HistoryDone>(json);
  }
}

}  // namespace

RunHistory read_run_history(const std::filesystem::path& path) {
  const std::string content = read_file(path);
  RunHistory history;
  std::string damage;  // of the line before, which is excused if a `start` line follows
  std::size_t number = 0;
  for (std::size_t begin = 0; begin < content.size();) {
    const std::size_t found = content.find('\n', begin);
    const std::size_t end = found == std::string::npos ? content.size() : found;
    const std::string_view line = std::string_view(content).substr(begin, end - begin);
    begin = end + 1;
    const std::string place = fmt::format("{}:{}", path.string(), ++number);
    nlohmann::json object;
    try {
      object = read_json_object(line, place, "one JSON object a line");
    } catch (const DataError& error) {
      if (!damage.empty()) throw DataError(damage);
      damage = error.what();
      continue;
    }
    const JsonFields fields(object, place);
    const std::string type = fields.text("type");
    if (!damage.empty()) {
      if (type != "start") throw DataError(damage);
      ++history.cut_off_lines;
      damage.clear();
    }
    add_line(history, type, fields);
  }
  if (!damage.empty()) {
    if (content.ends_with('\n')) throw DataError(damage);
    ++history.cut_off_lines;
  }
  return history;
}

}  // namespace diffuse
