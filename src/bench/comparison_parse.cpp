// A report's JSON read again: what a file holds is not trusted.

#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "base/json_fields.hpp"
#include "base/json_reader.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/bench/comparison_report.hpp"
#include "diffuse/config/load.hpp"

namespace diffuse {
namespace {

using Json = nlohmann::json;

/// The objects of the list `key`, each with its place.
template <class Read>
auto list_of(const Json& object, const char* key, const std::string& place, const Read& read) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_array())
    throw DataError(
        fmt::format("{}: \"{}\" is no list; expected a report of diffuse bench "
                    "--format json.",
                    place, key));
  std::vector<decltype(read(Json(), std::string()))> all;
  for (std::size_t i = 0; i < found->size(); ++i) {
    const std::string where = fmt::format("{}: {} {}", place, key, i + 1);
    if (!(*found)[i].is_object()) throw DataError(fmt::format("{}: expected an object.", where));
    all.push_back(read((*found)[i], where));
  }
  return all;
}

std::optional<PairedComparison> parse_accuracy(const JsonFields& fields) {
  const auto accuracy = fields.optional_object("accuracy");
  if (!accuracy) return std::nullopt;
  const JsonFields paired = accuracy->object("paired");
  return PairedComparison{.both_right = paired.count("both_right"),
                          .only_this_right = paired.count("only_this_right"),
                          .only_other_right = paired.count("only_other_right"),
                          .both_wrong = paired.count("both_wrong"),
                          .p_value = paired.finite_number("mcnemar_p_value")};
}

ContenderFacts parse_facts(const Json& json, const std::string& place) {
  const JsonFields fields(json, place);
  return {.name = fields.text("name"),
          .kind = fields.text("kind"),
          .weights = fields.text("weights"),
          .parameter_count = fields.count("parameter_count"),
          .extended_positions = fields.flag("extended_positions"),
          .accuracy = parse_accuracy(fields)};
}

MemoryFigures parse_memory(const JsonFields& fields) {
  MemoryFigures memory;
  memory.rss_growth_bytes = fields.optional_count("rss_growth_bytes").value_or(0);
  memory.allocated_bytes = fields.optional_count("allocated_bytes").value_or(0);
  memory.reserved_bytes = fields.optional_count("reserved_bytes").value_or(0);
  return memory;
}

std::string text_or_nothing(const Json& json, const JsonFields& fields, const char* key) {
  return json.contains(key) ? fields.text(key) : "";
}

Measurement parse_measurement(const Json& json, const std::string& place) {
  const JsonFields fields(json, place);
  Measurement m;
  m.precision = fields.text("precision");
  m.kernel = text_or_nothing(json, fields, "kernel");
  m.not_run = text_or_nothing(json, fields, "not_run");
  m.samples_s = fields.finite_numbers("samples_s");
  m.warm_up_calls = fields.count("warm_up_calls");
  m.tokens_a_call = fields.finite_number("tokens_per_call");
  m.examples_a_call = fields.finite_number("examples_per_call");
  m.flops_a_call = fields.optional_number("flops_per_call");
  if (const auto memory = fields.optional_object("memory")) {
    m.memory = parse_memory(*memory);
    m.memory->out_of_memory = text_or_nothing(json.at("memory"), *memory, "out_of_memory");
  }
  return m;
}

Precision parse_precision(const std::string& name, const std::string& place) {
  for (const Precision precision :
       {Precision::fp32, Precision::tf32, Precision::bf16, Precision::fp16})
    if (enum_name(precision) == name) return precision;
  throw DataError(
      fmt::format("{}: precision \"{}\"; expected fp32, tf32, bf16 or fp16.", place, name));
}

TriedPrecision parse_tried(const Json& json, const std::string& place) {
  const JsonFields fields(json, place);
  return {.precision = parse_precision(fields.text("precision"), place),
          .call_s = fields.optional_number("call_s"),
          .estimated = fields.flag("estimated"),
          .texts = fields.count("texts"),
          .tokens = fields.count("tokens")};
}

ModelResult parse_model(const Json& json, const std::string& place) {
  return {.measurements = list_of(json, "measurements", place, parse_measurement),
          .tried = list_of(json, "tried", place, parse_tried)};
}

CaseResult parse_case(const Json& json, const std::string& place) {
  const JsonFields fields(json, place);
  const std::string mode = fields.text("mode");
  if (mode != bench_mode_name(BenchMode::train) && mode != bench_mode_name(BenchMode::inference))
    throw DataError(fmt::format("{}: mode \"{}\"; expected train or inference.", place, mode));
  const bool of_texts = json.contains("seq_len") && json.at("seq_len").is_string();
  CaseResult result;
  result.which = {
      .mode = mode == bench_mode_name(BenchMode::train) ? BenchMode::train : BenchMode::inference,
      .batch_size = fields.count("batch_size"),
      .seq_len = of_texts ? 0 : fields.count("seq_len"),
      .device = fields.text("device"),
      .threads = static_cast<int>(fields.count("threads"))};
  result.models = list_of(json, "models", place, parse_model);
  return result;
}

}  // namespace

Comparison parse_comparison(const std::string& text, const std::string& place) {
  const Json json = read_json_object(text, place, "a report of diffuse bench --format json");
  const JsonFields fields(json, place);
  Comparison comparison;
  comparison.models = list_of(json, "models", place, parse_facts);
  comparison.cases = list_of(json, "cases", place, parse_case);
  if (comparison.models.size() < 2)
    throw DataError(
        fmt::format("{}: {} models; expected two at least.", place, comparison.models.size()));
  for (const CaseResult& result : comparison.cases) {
    if (result.models.size() != comparison.models.size())
      throw DataError(fmt::format("{}: a case has {} models, the report {}.", place,
                                  result.models.size(), comparison.models.size()));
  }
  comparison.epoch_rows = fields.count("epoch_rows");
  comparison.text_source = text_or_nothing(json, fields, "texts");
  comparison.accuracy_source = text_or_nothing(json, fields, "accuracy_texts");
  comparison.warnings = fields.texts("warnings");
  comparison.elapsed_s = fields.finite_number("elapsed_s");
  const JsonFields environment = fields.object("environment");
  // In the file's order, which the other reading has not kept.
  const auto ordered = read_json<nlohmann::ordered_json>(text).value;
  for (const auto& [key, value] : ordered.at("environment").items())
    comparison.environment.emplace_back(key, environment.text(key.c_str()));
  return comparison;
}

}  // namespace diffuse
