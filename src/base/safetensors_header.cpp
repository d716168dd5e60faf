#include "safetensors_header.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <tuple>
#include <utility>

#include "diffuse/base/text_util.hpp"
#include "json_reader.hpp"

namespace diffuse {
namespace {

using Json = nlohmann::json;

std::string in_quotes(std::string_view text) { return fmt::format("\"{}\"", printable(text)); }

/// A value as it stands in the header, for messages.
std::string shown(const Json& value) {
  return printable(value.dump(-1, ' ', false, Json::error_handler_t::replace));
}

/// Parses `text`; a name that occurs twice in an object is a fault (the parser would keep one of
/// the two), and so is nesting beyond what the format has.
Json parse_json(std::string_view text) {
  JsonText<Json> read = read_json<Json>(text, {.deepest = 3});  // header, tensor, its shape
  if (read.fault) {
    switch (read.fault->kind) {
      case JsonFault::Kind::depth:
        throw HeaderFault("the header's JSON is nested too deeply");
      case JsonFault::Kind::number:
        throw HeaderFault(fmt::format("the header is not valid JSON ({})", read.fault->reason));
      default:
        throw HeaderFault(fmt::format("the header is not valid JSON (byte {})", read.fault->byte));
    }
  }
  if (!read.repeated.empty()) {
    throw HeaderFault(fmt::format("the name {} occurs twice in the header",
                                  in_quotes(read.repeated.front().back())));
  }
  return std::move(read.value);
}

/// One tensor's object, with checks that need nothing but the object itself.
class EntryReader {
 public:
  EntryReader(std::string_view name, const Json& object) : name_(name), object_(object) {
    if (!object.is_object()) fail("is not an object", object);
    for (const auto& [key, value] : object.items()) {
      if (key != "dtype" && key != "shape" && key != "data_offsets") {
        fail(fmt::format("has the key {}; expected dtype, shape and data_offsets", in_quotes(key)));
      }
    }
  }

  SafetensorsEntry read() const {
    SafetensorsEntry entry;
    entry.name = name_;
    entry.dtype = dtype();
    for (const Json& dimension : member("shape")) {
      const auto size = natural(dimension);
      if (!size || *size > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
        fail("has a shape that is not of whole numbers from 0 on", member("shape"));
      }
      entry.shape.push_back(static_cast<std::int64_t>(*size));
    }
    const Json& offsets = member("data_offsets");
    const auto begin = offsets.size() == 2 ? natural(offsets[0]) : std::nullopt;
    const auto end = offsets.size() == 2 ? natural(offsets[1]) : std::nullopt;
    if (!begin || !end || *begin > *end) {
      fail("has data_offsets that are not two rising whole numbers", offsets);
    }
    entry.begin = *begin;
    entry.end = *end;
    const auto size = tensor_size_bytes(entry.dtype, entry.shape);
    if (!size) fail("has a shape of more bytes than can be counted", member("shape"));
    if (*size != *end - *begin) {
      fail(fmt::format("takes {} bytes by its offsets, {} by its shape and dtype", *end - *begin,
                       *size));
    }
    return entry;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw HeaderFault(fmt::format("tensor {} {}", in_quotes(name_), what));
  }
  [[noreturn]] void fail(const std::string& what, const Json& value) const {
    fail(fmt::format("{}: {}", what, shown(value)));
  }

  static std::optional<std::uint64_t> natural(const Json& value) {
    if (!value.is_number_unsigned()) return std::nullopt;
    return value.get<std::uint64_t>();
  }

  DType dtype() const {
    const auto found = object_.find("dtype");
    if (found == object_.end()) fail("has no dtype");
    if (found->is_string()) {
      if (const auto known = dtype_named(found->get_ref<const std::string&>())) return *known;
    }
    fail(fmt::format("has the dtype {}; known are {}", shown(*found), known_dtype_names()));
  }

  /// An array.
  const Json& member(const char* key) const {
    const auto found = object_.find(key);
    if (found == object_.end()) fail(fmt::format("has no {}", key));
    if (!found->is_array()) fail(fmt::format("has a {} that is no array", key), *found);
    return *found;
  }

  std::string_view name_;
  const Json& object_;
};

std::map<std::string, std::string> read_metadata(const Json& object) {
  if (!object.is_object()) {
    throw HeaderFault(fmt::format("{} is not an object: {}", kMetadataKey, shown(object)));
  }
  std::map<std::string, std::string> metadata;
  for (const auto& [key, value] : object.items()) {
    if (!value.is_string()) {
      throw HeaderFault(
          fmt::format("{} {} is not a string: {}", kMetadataKey, in_quotes(key), shown(value)));
    }
    metadata.emplace(key, value.get<std::string>());
  }
  return metadata;
}

void check_layout(std::span<const SafetensorsEntry> sorted, std::uint64_t data_size) {
  std::uint64_t covered = 0;
  std::string_view before;
  for (const SafetensorsEntry& entry : sorted) {
    if (entry.end > data_size) {
      throw HeaderFault(fmt::format("tensor {} ends at byte {} of the data, of which there are {}",
                                    in_quotes(entry.name), entry.end, data_size));
    }
    if (entry.begin < covered) {
      throw HeaderFault(
          fmt::format("tensors {} and {} overlap", in_quotes(before), in_quotes(entry.name)));
    }
    if (entry.begin > covered) {
      throw HeaderFault(
          fmt::format("bytes {} to {} of the data, before tensor {}, belong to no tensor", covered,
                      entry.begin, in_quotes(entry.name)));
    }
    covered = entry.end;
    before = entry.name;
  }
  if (covered != data_size) {
    throw HeaderFault(
        fmt::format("the last {} bytes of the data belong to no tensor", data_size - covered));
  }
}

}  // namespace

SafetensorsHeader parse_safetensors_header(std::string_view text, std::uint64_t data_size) {
  if (text.empty() || text.front() != '{') {
    throw HeaderFault("the header does not start with '{'");
  }
  const Json json = parse_json(text);
  SafetensorsHeader header;
  for (const auto& [name, value] : json.items()) {
    if (name == kMetadataKey) {
      header.metadata = read_metadata(value);
    } else {
      header.entries.push_back(EntryReader(name, value).read());
    }
  }
  std::sort(header.entries.begin(), header.entries.end(), [](const auto& a, const auto& b) {
    return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
  });
  check_layout(header.entries, data_size);
  return header;
}

}  // namespace diffuse
