#include <fmt/core.h>

#include "diffuse/base/progress.hpp"
#include "diffuse/bench/comparison_report.hpp"
#include "diffuse/config/load.hpp"
#include "result_text.hpp"

namespace diffuse {
namespace {

std::string markdown_cell(const std::string& text) {
  std::string cell;
  for (const char letter : text) {
    if (letter == '|') cell += '\\';
    cell += letter == '\n' ? ' ' : letter;
  }
  return cell;
}

std::string markdown_table(const Cells& cells, std::size_t left_columns) {
  std::string out;
  for (std::size_t row = 0; row < cells.size(); ++row) {
    for (const std::string& cell : cells[row]) out += "| " + markdown_cell(cell) + " ";
    out += "|\n";
    if (row > 0) continue;
    for (std::size_t column = 0; column < cells[row].size(); ++column)
      out += column < left_columns ? "|---" : "|---:";
    out += "|\n";
  }
  return out;
}

std::string csv_cell(const std::string& text) {
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  std::string cell = "\"";
  for (const char letter : text)
    cell += letter == '"' ? std::string("\"\"") : std::string(1, letter);
  return cell + "\"";
}

/// The case to quote: training at the greatest length that ran for ours and the `other`-th model.
const CaseResult* quotable(const Comparison& comparison, std::size_t other) {
  const CaseResult* found = nullptr;
  for (const CaseResult& result : comparison.cases) {
    if (!time_ratio(result.models.front(), result.models[other])) continue;
    const bool better =
        found == nullptr ||
        (found->which.mode != BenchMode::train && result.which.mode == BenchMode::train) ||
        (found->which.mode == result.which.mode &&
         result.which.batch_size >= found->which.batch_size &&
         result.which.seq_len > found->which.seq_len);
    if (better) found = &result;
  }
  return found;
}

std::string figure(double value) { return fmt::format("{:.9g}", value); }

/// "On this machine ...": what the case comes to against the `other`-th model.
std::string sentence(const Comparison& comparison, const CaseResult& result, std::size_t other) {
  const Measurement& ours = *fastest(result.models.front());
  const Measurement& theirs = *fastest(result.models[other]);
  const auto memory = memory_ratio(result.models.front(), result.models[other]);
  const char* const plural = result.which.batch_size == 1 ? "" : "s";
  const std::string texts = result.which.seq_len == 0
                                ? fmt::format("{} text{}", result.which.batch_size, plural)
                                : fmt::format("{} text{} of {} tokens", result.which.batch_size,
                                              plural, result.which.seq_len);
  const char* const work =
      result.which.mode == BenchMode::train ? "a training step" : "a forward pass";
  const bool on_cpu = result.which.device == "cpu";
  return fmt::format(
      "On this machine ({}{}) {} of {} takes {} {} ({}) and {} {} ({}): {} times as long{}.",
      on_cpu ? "CPU" : result.which.device, on_cpu ? ", " + threads_text(result.which.threads) : "",
      work, texts, comparison.models.front().name, time_text(ours.mean_s()), ours.precision,
      comparison.models[other].name, time_text(theirs.mean_s()), theirs.precision,
      ratio_text(time_ratio(result.models.front(), result.models[other])),
      memory ? fmt::format(", with {:.1f} times the memory", *memory) : "");
}

}  // namespace

std::string comparison_markdown(const Comparison& comparison) {
  std::string out = fmt::format("# {}\n\n", comparison_title(comparison));
  out += markdown_table(model_cells(comparison), 3) + "\n";
  out += markdown_table(measurement_cells(comparison), 4) + "\n";
  const Cells ratios = ratio_cells(comparison);
  if (ratios.size() > 1) out += markdown_table(ratios, 2) + "\n";
  if (const Cells tried = tried_cells(comparison); tried.size() > 1)
    out += markdown_table(tried, 2) + "\n";
  for (const std::string& line : accuracy_lines(comparison)) out += line + "\n\n";
  for (const std::string& remark : remarks(comparison)) out += "- " + remark + ".\n";
  if (!remarks(comparison).empty()) out += "\n";
  for (const auto& [key, value] : comparison.environment)
    out += fmt::format("- {}: {}\n", key, value);
  out += fmt::format("- measured in: {}\n", format_duration(comparison.elapsed_s));
  for (const std::string& sentence : comparison_sentences(comparison))
    out += "\n" + sentence + "\n";
  return out;
}

std::string comparison_csv(const Comparison& comparison) {
  std::string out =
      "mode,batch_size,seq_len,device,threads,model,parameters,precision,kernel,calls,median_s,"
      "mean_s,"
      "deviation_s,p95_s,tokens_per_s,examples_per_s,epoch_s,flops_per_token,flops_per_s,"
      "rss_growth_bytes,allocated_bytes,reserved_bytes,time_ratio,time_ratio_deviation,"
      "memory_ratio,not_run,tried\n";
  const auto line = [&](const CaseResult& result, const ContenderFacts& facts,
                        const ModelResult& model, const Measurement& m) {
    const bool ran = m.ran();
    const auto value = [ran](double number) { return ran ? figure(number) : std::string(); };
    const auto bytes = [&m](std::int64_t number) {
      return m.memory && m.memory->out_of_memory.empty() ? std::to_string(number) : std::string();
    };
    const MemoryFigures memory = m.memory.value_or(MemoryFigures{});
    const auto epoch = epoch_s(m, result, comparison);
    const double mean = ran ? m.mean_s() : 1;
    const std::string why = !memory.out_of_memory.empty() ? memory.out_of_memory : m.not_run;
    const auto flops = token_flops(m);
    // Of the model in the case, the same in all its lines; of ours there is none.
    const bool is_ours = &model == &result.models.front();
    const auto time = is_ours ? std::nullopt : time_ratio(result.models.front(), model);
    const auto memory_times = is_ours ? std::nullopt : memory_ratio(result.models.front(), model);
    out += fmt::format(
        "{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}\n",
        bench_mode_name(result.which.mode), result.which.batch_size,
        result.which.seq_len == 0 ? std::string("text") : std::to_string(result.which.seq_len),
        csv_cell(result.which.device), result.which.threads, csv_cell(facts.name),
        facts.parameter_count, m.precision, csv_cell(m.kernel), m.samples_s.size(),
        ran ? figure(m.median_s()) : "", value(mean), ran ? figure(m.deviation_s()) : "",
        ran ? figure(m.p95_s()) : "", value(m.tokens_a_call / mean),
        value(m.examples_a_call / mean), epoch ? figure(*epoch) : "", flops ? figure(*flops) : "",
        ran && m.flops_a_call ? figure(*m.flops_a_call / mean) : "", bytes(memory.rss_growth_bytes),
        bytes(memory.allocated_bytes), bytes(memory.reserved_bytes),
        time ? figure(time->value) : "", time ? figure(time->deviation) : "",
        memory_times ? figure(*memory_times) : "", csv_cell(why),
        csv_cell(tried_text(model.tried)));
  };
  for (const CaseResult& result : comparison.cases) {
    for (std::size_t i = 0; i < result.models.size(); ++i) {
      for (const Measurement& m : result.models[i].measurements)
        line(result, comparison.models[i], result.models[i], m);
    }
  }
  return out;
}

std::vector<std::string> comparison_sentences(const Comparison& comparison) {
  std::vector<std::string> sentences;
  for (std::size_t i = 1; i < comparison.models.size(); ++i) {
    if (const CaseResult* const result = quotable(comparison, i))
      sentences.push_back(sentence(comparison, *result, i));
  }
  return sentences;
}

}  // namespace diffuse
