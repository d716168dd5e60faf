#include "jsonl_reader.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "diffuse/base/error.hpp"
#include "diffuse/base/text_util.hpp"

namespace diffuse {
namespace {

using Json = nlohmann::ordered_json;  // in the order of the file, as a header's columns are

ReadStatus fail(BadRow& bad, std::uint32_t line, std::string problem, std::string expected) {
  bad = {line, std::move(problem), std::move(expected)};
  return ReadStatus::bad;
}

/// The first key that was there before, null if there is none. Rows have a handful of keys.
const std::string* find_repeated(const std::vector<std::string>& keys) {
  for (auto key = keys.begin(); key != keys.end(); ++key) {
    if (std::find(keys.begin(), key, *key) != key) return &*key;
  }
  return nullptr;
}

}  // namespace

ReadStatus JsonlRecords::next(Example& example, BadRow& bad) {
  buffer_.consume_empty_lines();
  if (buffer_.peek(0) < 0) return ReadStatus::end;
  const std::uint32_t number = buffer_.line();
  const std::size_t end = buffer_.find('\n', 0);
  if (end == std::string_view::npos && buffer_.held().size() > TextBuffer::kMaxRecordBytes) {
    buffer_.consume_line(0);
    return fail(bad, number,
                fmt::format("the line is longer than {} MiB", TextBuffer::kMaxRecordBytes >> 20),
                "one JSON object a line");
  }
  const std::size_t length = end == std::string_view::npos ? buffer_.held().size() : end;
  const ReadStatus status = parse(buffer_.held().substr(0, length), number, example, bad);
  buffer_.consume(end == std::string_view::npos ? length : length + 1);
  return status;
}

ReadStatus JsonlRecords::parse(std::string_view line, std::uint32_t number, Example& example,
                               BadRow& bad) {
  if (const auto at = invalid_utf8_at(line)) {
    return fail(bad, number,
                fmt::format("invalid UTF-8: byte 0x{:02X} at column {}",
                            static_cast<unsigned char>(line[*at]), *at + 1),
                "UTF-8");
  }
  // The parser takes a NUL for the end of its input and would not look at what follows.
  if (line.find('\0') != std::string_view::npos)
    return fail(bad, number, "NUL character in the row", "text");
  Json row;
  std::vector<std::string> keys;  // of the object itself, in the order of the line
  try {
    row = Json::parse(line, [&keys](int depth, Json::parse_event_t event, Json& parsed) {
      if (event == Json::parse_event_t::key && depth == 1) keys.push_back(parsed);
      return true;
    });
  } catch (const Json::parse_error& error) {
    return fail(bad, number, fmt::format("not valid JSON at column {}", error.byte),
                "one JSON object a line, such as {\"label\": \"x\", \"text\": \"…\"}");
  } catch (const Json::out_of_range&) {  // a number beyond a double's range
    return fail(bad, number, "a number that is out of range", "numbers of at most 1e308");
  }
  if (!row.is_object()) {
    return fail(bad, number, fmt::format("the line holds {}", row.type_name()), "a JSON object");
  }
  if (const std::string* twice = find_repeated(keys)) {
    return fail(bad, number, fmt::format("the key \"{}\" stands twice", printable(*twice)),
                "each key once");
  }
  if (!keys_) {
    std::vector<bool> is_text;
    for (const auto& [key, value] : row.items()) is_text.push_back(value.is_string());
    keys_ = resolve_keys(keys, is_text, config_, buffer_.path(), number);
  }
  const auto label = row.find(keys_->label);
  if (label == row.end()) {
    return fail(bad, number, fmt::format("there is no key \"{}\"", printable(keys_->label)),
                "the label under that key in every row");
  }
  std::string label_text;
  if (label->is_string()) {
    label_text = label->get_ref<const std::string&>();
  } else if (label->is_number_integer()) {
    label_text = label->dump();
  } else {
    return fail(bad, number,
                fmt::format("the label \"{}\" is of type {}{}", printable(keys_->label),
                            label->type_name(), label->is_number() ? " but not whole" : ""),
                "a string or a whole number");
  }
  std::vector<std::string_view> texts;
  for (const std::string& key : keys_->texts) {
    const auto text = row.find(key);
    if (text == row.end()) {
      return fail(bad, number, fmt::format("there is no key \"{}\"", printable(key)),
                  "a text under that key in every row");
    }
    if (!text->is_string()) {
      return fail(bad, number,
                  fmt::format("the text \"{}\" is of type {}", printable(key), text->type_name()),
                  "a string");
    }
    texts.push_back(text->get_ref<const std::string&>());
  }
  bad = make_example(label_text, texts, number, example);
  return bad.problem.empty() ? ReadStatus::row : ReadStatus::bad;
}

}  // namespace diffuse
