#include "startup_table.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "diffuse/base/progress.hpp"
#include "diffuse/base/table.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/config/load.hpp"
#include "diffuse/data/loading.hpp"

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
        if (has_effect(section, key, config.model.type))
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
          {"pooled_rows", part.pooled_rows},
          {"pieces", part.pieces},
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
  const bool more = config.model.type == ModelType::diffusion &&
                    !config.model.embedding_file.empty() && config.model.embedding_words > 0;
  const char* const others = more ? ", and those of model.embedding_file" : "";
  const std::string most =
      config.tokenizer.max_words == 0
          ? ""
          : fmt::format(", at most {}", format_count(config.tokenizer.max_words));
  if (least == 1) return fmt::format("{} (words, all that occur{}{})", size, most, others);
  return fmt::format("{} (words that occur {} times or more{}{})", size, format_count(least), most,
                     others);
}

/// How much the training rows count: the least and the greatest weight, and their sum.
struct WeightRange {
  float least = std::numeric_limits<float>::max();
  float most = 0;
  double sum = 0;
};

WeightRange weight_range(const TrainingData& data) {
  const RowTargets& targets = data.train_file->targets();
  WeightRange range;
  for (const std::uint32_t row : data.train.rows) {
    range.least = std::min(range.least, targets.weight(row));
    range.most = std::max(range.most, targets.weight(row));
    range.sum += static_cast<double>(targets.weight(row));
  }
  return range;
}

bool has_weights(const Config& config) {
  return config.train.class_weights.rule != ClassWeights::Rule::none ||
         !config.data.weight_column.empty();
}

std::int64_t soft_rows(const TrainingData& data) {
  const RowTargets& targets = data.train_file->targets();
  return std::count_if(data.train.rows.begin(), data.train.rows.end(),
                       [&](std::uint32_t row) { return !targets.shares(row).empty(); });
}

/// "balanced: ham 0.58, spam 3.6; column w; from 0.58 to 7.2 a row".
std::string weights_text(const Config& config, const TrainingData& data) {
  constexpr std::size_t kShown = 6;
  const ClassWeights& setting = config.train.class_weights;
  std::string text;
  if (setting.rule != ClassWeights::Rule::none) {
    const auto weights = class_weights(setting, data.labels, data.facts.class_rows);
    text = setting.rule == ClassWeights::Rule::balanced ? "balanced: " : "by class: ";
    for (std::size_t c = 0; c < std::min(kShown, weights.size()); ++c)
      text += fmt::format("{}{} {:.3g}", c == 0 ? "" : ", ", printable(data.labels.names()[c], 20),
                          weights[c]);
    text += weights.size() > kShown ? ", …; " : "; ";
  }
  if (!config.data.weight_column.empty())
    text += fmt::format("column {}; ", printable(config.data.weight_column, 20));
  const WeightRange range = weight_range(data);
  return text + fmt::format("from {:.3g} to {:.3g} a row", range.least, range.most);
}

nlohmann::ordered_json weights_json(const Config& config, const TrainingData& data) {
  if (!has_weights(config)) return nullptr;
  const WeightRange range = weight_range(data);
  return {{"least", range.least},
          {"most", range.most},
          {"mean", range.sum / static_cast<double>(data.train.size())}};
}

/// "1,234", and how many of them an embedding of pairs takes, which may be most.
std::string parameter_text(const Config& config, std::int64_t count) {
  const std::int64_t rows =
      config.model.type == ModelType::diffusion ? config.model.bigram_buckets : 0;
  if (rows == 0) return format_count(count);
  return fmt::format("{}, {} of them for pairs of tokens", format_count(count),
                     format_count(rows * config.model.dim));
}

std::string updates_text(const Config& config, const TrainingPlan& plan, const DatasetView& train) {
  const bool short_epochs =
      config.data.epoch_rows > 0 && config.data.epoch_rows < std::ssize(train.rows);
  const std::string an_epoch = fmt::format(
      "{} an epoch of {}", format_count(plan.updates_per_epoch),
      short_epochs
          ? fmt::format(
                "{} rows, {} epochs until a row comes again", format_count(config.data.epoch_rows),
                (std::ssize(train.rows) + config.data.epoch_rows - 1) / config.data.epoch_rows)
          : format_count(train.token_count()) + " tokens");
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
  if (has_weights(config)) table.add_row({"row weights", weights_text(config, data)});
  if (!config.data.soft_labels.empty())
    table.add_row({"soft labels", fmt::format("{} of {} rows, {:.3g} of the target beside a label",
                                              format_count(soft_rows(data)),
                                              format_count(std::ssize(data.train.rows)),
                                              config.train.soft_label_weight)});
  table.add_row({"vocabulary", vocabulary_text(config, data)});
  if (!facts.vectors.empty()) table.add_row({"initial vectors", facts.vectors});
  table.add_row({"parameters", parameter_text(config, facts.parameter_count)});
  table.add_row({"memory", facts.memory});
  table.add_row({"updates", updates_text(config, facts.plan, data.train)});
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
  json["row_weights"] = weights_json(config, data);
  json["soft_rows"] = soft_rows(data);
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
