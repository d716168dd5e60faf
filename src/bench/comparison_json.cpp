#include <nlohmann/json.hpp>

#include "diffuse/bench/comparison_report.hpp"
#include "diffuse/config/load.hpp"
#include "result_text.hpp"

namespace diffuse {
namespace {

using OrderedJson = nlohmann::ordered_json;

OrderedJson facts_json(const ContenderFacts& facts) {
  OrderedJson json = {{"name", facts.name},
                      {"kind", facts.kind},
                      {"weights", facts.weights},
                      {"parameter_count", facts.parameter_count},
                      {"extended_positions", facts.extended_positions}};
  if (facts.accuracy)  // of ours against it
    json["accuracy"] = {{"ours", facts.accuracy->accuracy()},
                        {"other", facts.accuracy->other_accuracy()},
                        {"paired", OrderedJson::parse(paired_json(*facts.accuracy, facts.name))}};
  return json;
}

OrderedJson memory_json(const MemoryFigures& memory) {
  if (!memory.out_of_memory.empty()) return {{"out_of_memory", memory.out_of_memory}};
  return {{"rss_growth_bytes", memory.rss_growth_bytes},
          {"allocated_bytes", memory.allocated_bytes},
          {"reserved_bytes", memory.reserved_bytes}};
}

OrderedJson measurement_json(const Measurement& m, const CaseResult& result,
                             const Comparison& comparison) {
  OrderedJson json;
  json["precision"] = m.precision;
  if (!m.kernel.empty()) json["kernel"] = m.kernel;
  if (!m.not_run.empty()) json["not_run"] = m.not_run;
  if (m.ran()) {
    json["median_s"] = m.median_s();
    json["mean_s"] = m.mean_s();
    json["deviation_s"] = m.deviation_s();
    json["p95_s"] = m.p95_s();
    json["tokens_per_s"] = m.tokens_a_call / m.mean_s();
    json["examples_per_s"] = m.examples_a_call / m.mean_s();
    if (const auto epoch = epoch_s(m, result, comparison)) json["epoch_s"] = *epoch;
    if (m.flops_a_call) json["flops_per_s"] = *m.flops_a_call / m.mean_s();
  }
  if (m.flops_a_call) json["flops_per_call"] = *m.flops_a_call;
  if (m.memory) json["memory"] = memory_json(*m.memory);
  json["tokens_per_call"] = m.tokens_a_call;
  json["examples_per_call"] = m.examples_a_call;
  json["warm_up_calls"] = m.warm_up_calls;
  json["samples_s"] = m.samples_s;
  return json;
}

OrderedJson tried_json(const TriedPrecision& tried) {
  OrderedJson json;
  json["precision"] = enum_name(tried.precision);
  json["call_s"] = tried.call_s ? OrderedJson(*tried.call_s) : OrderedJson(nullptr);
  json["estimated"] = tried.estimated;
  json["texts"] = tried.texts;
  json["tokens"] = tried.tokens;
  return json;
}

OrderedJson model_json(const ModelResult& model, const CaseResult& result,
                       const Comparison& comparison) {
  OrderedJson json;
  json["measurements"] = OrderedJson::array();
  for (const Measurement& m : model.measurements)
    json["measurements"].push_back(measurement_json(m, result, comparison));
  json["tried"] = OrderedJson::array();
  for (const TriedPrecision& one : model.tried) json["tried"].push_back(tried_json(one));
  if (&model == &result.models.front()) return json;
  if (const auto ratio = time_ratio(result.models.front(), model))
    json["time_ratio"] = {{"value", ratio->value}, {"deviation", ratio->deviation}};
  if (const auto ratio = memory_ratio(result.models.front(), model)) json["memory_ratio"] = *ratio;
  return json;
}

OrderedJson case_json(const CaseResult& result, const Comparison& comparison) {
  OrderedJson json;
  json["mode"] = bench_mode_name(result.which.mode);
  json["batch_size"] = result.which.batch_size;
  json["seq_len"] =
      result.which.seq_len == 0 ? OrderedJson("text") : OrderedJson(result.which.seq_len);
  json["device"] = result.which.device;
  json["threads"] = result.which.threads;
  json["models"] = OrderedJson::array();
  for (const ModelResult& model : result.models)
    json["models"].push_back(model_json(model, result, comparison));
  return json;
}

}  // namespace

std::string comparison_json(const Comparison& comparison) {
  OrderedJson json;
  json["models"] = OrderedJson::array();
  for (const ContenderFacts& facts : comparison.models) json["models"].push_back(facts_json(facts));
  json["environment"] = OrderedJson::object();
  for (const auto& [key, value] : comparison.environment) json["environment"][key] = value;
  json["epoch_rows"] = comparison.epoch_rows;
  if (!comparison.text_source.empty()) json["texts"] = comparison.text_source;
  if (!comparison.accuracy_source.empty()) json["accuracy_texts"] = comparison.accuracy_source;
  json["cases"] = OrderedJson::array();
  for (const CaseResult& result : comparison.cases)
    json["cases"].push_back(case_json(result, comparison));
  json["warnings"] = comparison.warnings;
  json["remarks"] = remarks(comparison);
  json["sentences"] = comparison_sentences(comparison);
  json["elapsed_s"] = comparison.elapsed_s;
  return json.dump(2, ' ', false, OrderedJson::error_handler_t::replace);
}

}  // namespace diffuse
