#include "predict_records.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "diffuse/base/text_util.hpp"
#include "diffuse/data/json_line.hpp"
#include "diffuse/data/text_keys.hpp"

namespace diffuse::cli {
namespace {

InputRecord failed(std::string message) { return {{}, std::move(message)}; }

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\n\r\v\f") == std::string_view::npos;
}

std::string key_list(std::span<const std::string> text_keys) {
  if (text_keys.empty()) return "\"text\", nor another that holds a text";
  std::vector<std::string> quoted;
  for (const std::string& key : text_keys) quoted.push_back(fmt::format("\"{}\"", printable(key)));
  return fmt::format("\"text\" (or {})", join(quoted, ", "));
}

InputRecord parse_object(std::string_view line, std::span<const std::string> text_keys) {
  const JsonLine parsed = parse_json_line(line);
  if (!parsed.problem.empty())
    return failed(fmt::format("{}; expected {}", parsed.problem, parsed.expected));
  const auto& object = parsed.object;
  std::vector<std::string> keys = {"text"};
  if (!object.contains(keys.front())) {
    keys.assign(text_keys.begin(), text_keys.end());
    if (keys.empty()) keys = automatic_text_keys(parsed.keys, parsed.contents);
    const bool has_all =
        !keys.empty() && std::all_of(keys.begin(), keys.end(),
                                     [&](const auto& key) { return object.contains(key); });
    if (!has_all) return failed(fmt::format("there is no key {}", key_list(text_keys)));
  }
  InputRecord record;
  for (const std::string& key : keys) {
    const auto& value = object.at(key);
    if (!value.is_string()) {
      return failed(fmt::format("\"{}\" is of type {}; expected a string", printable(key),
                                value.type_name()));
    }
    const auto& part = value.get_ref<const std::string&>();
    if (is_blank(part)) continue;
    if (!record.text.empty()) record.text += ' ';
    record.text += part;
  }
  return record;
}

std::string json_string(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string pair_json(const std::string& name, float probability) {
  return fmt::format("\"label\": {}, \"probability\": {:.6f}", json_string(name), probability);
}

}  // namespace

InputRecord parse_record(std::string_view line, InputFormat format,
                         std::span<const std::string> text_keys) {
  if (const auto at = invalid_utf8_at(line)) {
    return failed(fmt::format("invalid UTF-8: byte 0x{:02X} at column {}",
                              static_cast<unsigned char>(line[*at]), *at + 1));
  }
  InputRecord record;
  if (format == InputFormat::text) {
    record.text = line;
  } else if (is_blank(line)) {
    return failed("empty line; expected an object such as {\"text\": \"...\"}");
  } else {
    record = parse_object(line, text_keys);
    if (!record.error.empty()) return record;
  }
  if (is_blank(record.text)) return failed("empty text");
  if (record.text.find('\0') != std::string::npos) return failed("NUL character in the text");
  return record;
}

std::string format_prediction(std::span<const float> probabilities, std::span<const float> logits,
                              const Labels& labels, std::size_t top, OutputFormat format) {
  std::vector<std::size_t> order(probabilities.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  top = std::min(top, order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(top), order.end(),
                    [&](std::size_t a, std::size_t b) {
                      if (probabilities[a] != probabilities[b])
                        return probabilities[a] > probabilities[b];
                      return a < b;
                    });
  order.resize(top);
  std::string out;
  if (format == OutputFormat::tsv) {
    for (const std::size_t c : order) {
      if (!out.empty()) out += '\t';
      out += fmt::format("{}\t{:.6f}", escape_tsv(labels.names()[c]), probabilities[c]);
    }
    return out + "\n";
  }
  out += '{';
  out += pair_json(labels.names()[order[0]], probabilities[order[0]]);
  if (top > 1) {
    out += ", \"top\": [";
    for (std::size_t i = 0; i < top; ++i) {
      out += (i == 0 ? "{" : ", {") + pair_json(labels.names()[order[i]], probabilities[order[i]]) +
             "}";
    }
    out += "]";
  }
  for (std::size_t c = 0; c < logits.size(); ++c)
    out += fmt::format("{}{:.9g}", c == 0 ? ", \"logits\": [" : ", ", logits[c]);
  if (!logits.empty()) out += "]";
  return out + "}\n";
}

std::string format_error(std::string_view message, OutputFormat format) {
  if (format == OutputFormat::tsv) return fmt::format("#error\t{}\n", message);
  return fmt::format("{{\"error\": {}}}\n", json_string(std::string(message)));
}

}  // namespace diffuse::cli
