#include "diffuse/report/metric_lines.hpp"

#include <nlohmann/json.hpp>

#include "line_fields.hpp"

namespace diffuse {
namespace {

using Json = nlohmann::ordered_json;

/// Writes what `visit_fields` offers; a number that is not finite becomes null.
class LineWriter {
 public:
  template <class Value>
  void operator()(const char* key, const Value& value) {
    json_[key] = value;
  }
  template <class Value>
  void operator()(const char* key, const std::optional<Value>& value) {
    json_[key] = value ? Json(*value) : Json();
  }
  template <class Value>
  void if_any(const char* key, const std::optional<Value>& value) {
    if (value) json_[key] = *value;
  }
  template <class Value>
  void added_later(const char* key, const Value& value) {
    json_[key] = value;
  }
  template <class Line>
  void object(const char* key, const Line& line) {
    LineWriter inside;
    visit_fields(line, inside);
    json_[key] = std::move(inside.json_);
  }
  template <class Line>
  void object(const char* key, const std::optional<Line>& line) {
    if (line) object(key, *line);
  }
  std::string text() const { return json_.dump(-1, ' ', false, Json::error_handler_t::replace); }

 private:
  Json json_;
};

template <class Line>
std::string text_of(const char* type, const Line& line) {
  LineWriter writer;
  writer("type", type);
  visit_fields(line, writer);
  return writer.text();
}

}  // namespace

std::string metric_line(const HistoryStart& line) { return text_of("start", line); }
std::string metric_line(const HistoryTrain& line) { return text_of("train", line); }
std::string metric_line(const HistoryEpoch& line) { return text_of("epoch", line); }
std::string metric_line(const HistoryDivergence& line) { return text_of("diverged", line); }
std::string metric_line(const HistoryDone& line) { return text_of("done", line); }

}  // namespace diffuse
