#include "startup_table.hpp"

#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "diffuse/base/progress.hpp"
#include "diffuse/base/table.hpp"
#include "diffuse/config/load.hpp"

namespace diffuse::cli {
namespace {

using Align = Table::Align;

std::string shown(const nlohmann::json& value) {
  const bool bare = value.is_string() && !value.get_ref<const std::string&>().empty();
  return bare ? value.get<std::string>() : value.dump();
}

/// `words` cut into lines of at most `width` characters, which stand behind `indent` columns.
std::string wrapped(const std::vector<std::string>& words, std::size_t indent, std::size_t width) {
  std::string text;
  std::size_t column = indent;
  for (const std::string& word : words) {
    if (column == indent) {
      text.append(word);
    } else if (column + word.size() + 2 > width) {
      text.append("\n").append(indent, ' ').append(word);
      column = indent;
    } else {
      text.append("  ").append(word);
      column += 2;
    }
    column += word.size();
  }
  return text;
}

std::string parameters_text(const Config& config) {
  const auto effective = nlohmann::ordered_json::parse(config_json(config));
  const auto defaults = nlohmann::ordered_json::parse(config_json(default_config({})));
  Table changed({"changed parameter", "value", "default"}, {Align::left, Align::left, Align::left});
  bool any = false;
  std::string others;
  for (const auto& [section, values] : effective.items()) {
    if (!values.is_object()) continue;
    std::vector<std::string> unchanged;
    for (const auto& [key, value] : values.items()) {
      const auto& standard = defaults.at(section).at(key);
      if (value == standard) {
        unchanged.push_back(fmt::format("{}={}", key, shown(value)));
        continue;
      }
      any = true;
      changed.add_row({fmt::format("{}.{}", section, key), shown(value), shown(standard)});
    }
    if (!unchanged.empty())
      others += fmt::format("  {:<10} {}\n", section, wrapped(unchanged, 13, 100));
  }
  return fmt::format("{}{}at their defaults\n{}", any ? changed.text() : "", any ? "\n" : "",
                     others);
}

nlohmann::ordered_json part_json(const PartSummary& part) {
  nlohmann::ordered_json shared;  // null where nothing was compared
  nlohmann::ordered_json relabelled;
  if (part.training_rows) {
    shared = *part.training_rows;
    relabelled = part.relabelled_rows;
  }
  return {{"rows", part.rows},
          {"tokens", part.tokens},
          {"skipped_rows", part.bad_rows},
          {"unknown_tokens", part.unknown_tokens},
          {"cut_rows", part.cut.rows},
          {"unread_tokens", part.cut.unread_tokens},
          {"training_rows", shared},
          {"relabelled_rows", relabelled},
          {"ambiguous_texts", part.ambiguous.texts}};
}

/// "1,234 (words that come 2 times or more)".
std::string vocabulary_text(const Config& config, const TrainingData& data) {
  const std::string size = format_count(data.tokenizer->vocab_size());
  if (config.tokenizer.type != TokenizerType::words)
    return fmt::format("{} ({})", size, enum_name(config.tokenizer.type));
  const std::int64_t least =
      resolve_min_count(config.tokenizer, static_cast<std::int64_t>(data.train_file->size()));
  if (least == 1) return fmt::format("{} (words, all that occur)", size);
  return fmt::format("{} (words that occur {} times or more)", size, format_count(least));
}

/// "1,234", and how many of them an embedding of pairs takes, which may be most.
std::string parameter_text(const Config& config, std::int64_t count) {
  const std::int64_t rows =
      config.model.type == ModelType::diffusion ? config.model.bigram_buckets : 0;
  if (rows == 0) return format_count(count);
  return fmt::format("{}, {} of them for pairs of tokens", format_count(count),
                     format_count(rows * config.model.dim));
}

std::string updates_text(const TrainingPlan& plan, const DatasetView& train) {
  const std::string an_epoch =
      fmt::format("{} an epoch of {} tokens", format_count(plan.updates_per_epoch),
                  format_count(train.token_count()));
  if (plan.time_limit_s > 0)
    return fmt::format("for {}, {}", format_duration(plan.time_limit_s), an_epoch);
  return fmt::format("{}, {}", format_count(plan.total), an_epoch);
}

}  // namespace

std::string startup_table(const Config& config, const TrainingData& data,
                          const StartupFacts& facts) {
  // No header: the first line is a row like the others.
  Table table({"train", part_text(data.summary.train)}, {Align::left, Align::left});
  table.add_row({"validation", part_text(data.summary.validation)});
  table.add_row({"test", part_text(data.summary.test)});
  table.add_row({"classes", format_count(data.labels.size())});
  table.add_row({"vocabulary", vocabulary_text(config, data)});
  table.add_row({"parameters", parameter_text(config, facts.parameter_count)});
  table.add_row({"memory", facts.memory});
  table.add_row({"updates", updates_text(facts.plan, data.train)});
  table.add_row({"device", facts.device});
  table.add_row({"precision", facts.precision});
  table.add_row({"kernel", facts.kernel});
  table.add_row({"threads", std::to_string(facts.threads)});
  table.add_row({"seed", std::to_string(config.train.seed)});
  if (!facts.run_directory.empty()) table.add_row({"run directory", facts.run_directory});
  return table.text() + "\n" + parameters_text(config);
}

std::string startup_json(const Config& config, const TrainingData& data,
                         const StartupFacts& facts) {
  nlohmann::ordered_json json;
  json["train"] = part_json(data.summary.train);
  json["validation"] = part_json(data.summary.validation);
  json["test"] = part_json(data.summary.test);
  json["classes_without_validation"] = nlohmann::ordered_json::array();
  for (const std::int32_t label : data.summary.unvalidated_classes)
    json["classes_without_validation"].push_back(data.labels.name(label));
  json["classes"] = data.labels.size();
  json["vocabulary"] = data.tokenizer->vocab_size();
  json["parameters"] = facts.parameter_count;
  json["memory_estimate_bytes"] = facts.memory_bytes;
  // A run in minutes ends by the clock.
  const bool timed = facts.plan.time_limit_s > 0;
  json["updates"] = nullptr;
  json["time_limit_s"] = nullptr;
  if (timed) json["time_limit_s"] = facts.plan.time_limit_s;
  if (!timed) json["updates"] = facts.plan.total;
  json["updates_per_epoch"] = facts.plan.updates_per_epoch;
  json["device"] = facts.device;
  json["precision"] = facts.precision;
  json["kernel"] = facts.kernel;
  json["threads"] = facts.threads;
  json["config"] = nlohmann::ordered_json::parse(config_json(config));
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace diffuse::cli
