#include "jsonl_reader.hpp"

#include <fmt/core.h>

#include <string_view>
#include <utility>

#include "column_names.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/base/unicode.hpp"
#include "encoding.hpp"
#include "keys.hpp"
#include "label_list.hpp"
#include "soft_label.hpp"

namespace diffuse {

ReadStatus JsonlRecords::fail(BadRow& bad, std::uint32_t line, std::string problem,
                              std::string expected) const {
  bad = {line, std::move(problem), std::move(expected)};
  return ReadStatus::bad;
}

JsonlRecords::Entry JsonlRecords::read() {
  Entry entry;
  if (options_.need_label) buffer_.consume_empty_lines();
  entry.line = buffer_.line();
  const TextBuffer::Line status = buffer_.take_line(line_);
  if (status == TextBuffer::Line::end) return entry;
  entry.status = ReadStatus::bad;
  if (status == TextBuffer::Line::too_long) {
    entry.bad = {entry.line,
                 fmt::format("the line is longer than {} MiB", TextBuffer::kMaxRecordBytes >> 20),
                 "one JSON object a line"};
    return entry;
  }
  if (line_.find_first_not_of(" \t") == std::string::npos) {
    entry.bad = {entry.line, "empty line", "one JSON object a line"};
    return entry;
  }
  if (const auto bytes = find_bad_bytes(line_, entry.line, "", buffer_.path())) {
    entry.bad = *bytes;
    return entry;
  }
  entry.json = parse_json_line(line_);
  if (!entry.json.problem.empty()) {
    const std::string_view text = trim_invisible(line_);
    std::string expected = entry.json.expected;
    if (text.starts_with('[')) {
      expected += "; `jq -c '.[]'` writes the elements of an array as such lines";
    } else if (text == "{") {
      expected += "; `jq -c .` writes objects that take several lines as such";
    }
    entry.bad = {entry.line, entry.json.problem, std::move(expected)};
    return entry;
  }
  entry.status = ReadStatus::row;
  return entry;
}

void JsonlRecords::decide() {
  FirstObjects objects;
  objects.path = buffer_.path();
  objects.own_settings = options_.own_settings;
  for (const Entry& entry : ahead_) {
    if (entry.status != ReadStatus::row) continue;
    if (objects.first != nullptr) {
      objects.below.push_back(&entry.json);
    } else {
      objects.first = &entry.json;
      objects.line = entry.line;
    }
  }
  if (objects.first == nullptr) return;
  layout_ = options_.layout ? find_keys(objects, config_, *options_.layout)
                            : resolve_keys(objects, config_);
}

ReadStatus JsonlRecords::next(Example& example, BadRow& bad) {
  if (ahead_.empty() && !layout_) {  // again, if only bad rows were found before
    const std::size_t count = options_.need_label ? options_.rows_ahead : 1;
    std::size_t bytes = 0;
    do {
      ahead_.push_back(read());
      bytes += line_.size();
    } while (ahead_.back().status != ReadStatus::end && ahead_.size() < count &&
             bytes < ReadOptions::kBytesAhead);
    if (options_.need_label) decide();
  }
  Entry entry;
  if (!ahead_.empty()) {
    entry = std::move(ahead_.front());
    ahead_.pop_front();
  } else {
    entry = read();
  }
  if (entry.status == ReadStatus::bad) bad = std::move(entry.bad);
  return entry.status == ReadStatus::row ? take(entry, example, bad) : entry.status;
}

ReadStatus JsonlRecords::label_of(const Entry& entry, std::string& label,
                                  std::vector<std::string>& labels, BadRow& bad) const {
  if (!layout_->label)
    return fail(bad, entry.line, fmt::format("there is no key {}", shown_name(config_.soft_labels)),
                "the soft label under that key, or a label, in every row");
  const std::string& key = layout_->label->name;
  const auto found = entry.json.object.find(key);
  if (found == entry.json.object.end()) {
    return fail(bad, entry.line, fmt::format("there is no key {}", shown_name(key)),
                "the label under that key in every row");
  }
  if (!config_.label_separator.empty()) {
    if (read_label_list(*found, key, config_.label_separator, labels, bad) == ReadStatus::row)
      return ReadStatus::row;
    bad.line = entry.line;
    return ReadStatus::bad;
  }
  if (found->is_string()) {
    label = found->get_ref<const std::string&>();
  } else if (found->is_number() || found->is_boolean()) {
    label = found->dump();
  } else if (found->is_array()) {
    return fail(bad, entry.line, fmt::format("the label {} is a list", shown_name(key)),
                "one label, or data.label_separator for texts of several "
                "(--set 'data.label_separator=|')");
  } else {
    return fail(bad, entry.line,
                fmt::format("the label {} is of type {}", shown_name(key), found->type_name()),
                "a string, a number, true or false");
  }
  return ReadStatus::row;
}

/// Label, soft label and weight.
ReadStatus JsonlRecords::target_of(const Entry& entry, std::string& label, Example& example,
                                   BadRow& bad) const {
  const auto& row = entry.json.object;
  const auto value_of = [&row](const std::string& key) {
    const auto found = row.find(key);
    return found == row.end() || found->is_null() ? row.end() : found;
  };
  example.soft = {};
  const bool labelled = layout_->label && value_of(layout_->label->name) != row.end();
  // Beside the training file they only stand in for labels.
  const bool training = !options_.layout || options_.goes_on;
  if (!config_.soft_labels.empty() && (training || !labelled)) {
    if (const auto soft = value_of(config_.soft_labels); soft != row.end()) {
      if (read_soft_label(*soft, config_.soft_labels, example.soft, bad) == ReadStatus::bad) {
        bad.line = entry.line;
        return ReadStatus::bad;
      }
    }
  }
  example.weight = 1;
  if (layout_->weight) {
    const std::string& key = layout_->weight->name;
    const auto weight = row.find(key);
    if (weight == row.end())
      return fail(bad, entry.line, fmt::format("there is no key {}", shown_name(key)),
                  "the weight under that key in every row");
    const auto read = weight->is_number() ? parse_weight(weight->dump()) : std::nullopt;
    if (!read)
      return fail(bad, entry.line,
                  fmt::format("the weight {} is {}", shown_name(key),
                              printable(weight->dump(-1, ' ', false,
                                                     nlohmann::json::error_handler_t::replace),
                                        20)),
                  kWeightWords);
    example.weight = *read;
  }
  label.clear();
  if (labelled || example.soft.empty()) return label_of(entry, label, example.labels, bad);
  return ReadStatus::row;
}

namespace {

/// Of a row whose texts alone are read; later ones may have theirs under other keys.
RecordLayout layout_of_texts(const std::vector<std::string>& keys) {
  RecordLayout layout;
  layout.format = FileFormat::jsonl;
  std::vector<std::string> shown;
  for (const std::string& key : keys) {
    layout.texts.push_back({key, 0});
    shown.push_back(shown_name(key));
  }
  layout.description = fmt::format("text is key {}", join(shown, ", "));
  return layout;
}

}  // namespace

ReadStatus JsonlRecords::take(const Entry& entry, Example& example, BadRow& bad) {
  const auto& row = entry.json.object;
  std::string label;
  std::vector<std::string> keys;
  example.kept.clear();
  for (const std::string& key : options_.keep) {
    const auto value = row.find(key);
    if (value == row.end()) {
      example.kept.push_back({"null", false});
    } else if (value->is_string()) {
      example.kept.push_back({value->get<std::string>(), true});
    } else {
      example.kept.push_back(
          {value->dump(-1, ' ', false, nlohmann::json::error_handler_t::replace), false});
    }
  }
  if (options_.need_label) {
    if (target_of(entry, label, example, bad) == ReadStatus::bad) return ReadStatus::bad;
    for (const ColumnRef& text : layout_->texts) keys.push_back(text.name);
  } else {
    std::string problem;
    keys = text_keys(entry.json, config_, options_.layout ? &*options_.layout : nullptr, problem);
    if (!problem.empty())
      return fail(bad, entry.line, problem, "an object such as {\"text\": \"...\"}");
    if (!layout_) layout_ = layout_of_texts(keys);
  }
  // Of several texts each may be missing, as an empty field of a table is.
  const auto text_is_missing = [&](const std::string& key) {
    const auto text = row.find(key);
    return text == row.end() || text->is_null();
  };
  if (keys.size() > 1) std::erase_if(keys, text_is_missing);
  std::vector<std::string_view> texts;
  for (const std::string& key : keys) {
    const auto text = row.find(key);
    if (text == row.end()) {
      return fail(bad, entry.line, fmt::format("there is no key {}", shown_name(key)),
                  "a text under that key in every row");
    }
    if (!text->is_string()) {
      return fail(bad, entry.line,
                  fmt::format("the text {} is of type {}", shown_name(key), text->type_name()),
                  "a string");
    }
    texts.push_back(text->get_ref<const std::string&>());
  }
  const bool labelled = options_.need_label && config_.label_separator.empty() &&
                        (example.soft.empty() || !label.empty());
  return make_example(labelled ? &label : nullptr, texts, entry.line, example, bad);
}

}  // namespace diffuse
