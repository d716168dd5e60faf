#include "jsonl_reader.hpp"

#include <fmt/core.h>

#include "diffuse/base/error.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/data/json_line.hpp"

namespace diffuse {
namespace {

ReadStatus fail(BadRow& bad, std::uint32_t line, std::string problem, std::string expected) {
  bad = {line, std::move(problem), std::move(expected)};
  return ReadStatus::bad;
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
  const JsonLine parsed = parse_json_line(line);
  if (!parsed.problem.empty()) return fail(bad, number, parsed.problem, parsed.expected);
  if (!keys_) keys_ = resolve_keys(parsed.keys, parsed.contents, config_, buffer_.path(), number);
  const auto& row = parsed.object;
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
