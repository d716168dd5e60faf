#include "diffuse/report/run_history.hpp"

#include <fmt/core.h>

#include <string_view>
#include <utility>

#include "base/json_fields.hpp"
#include "base/json_reader.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/base/files.hpp"

namespace diffuse {
namespace {

HistoryStart start_of(const JsonFields& fields) {
  return {fields.text("time"),
          fields.count("update"),
          fields.optional_count("total_updates"),
          fields.count("updates_per_epoch"),
          fields.text("device"),
          fields.text("precision"),
          fields.count("threads"),
          fields.count("parameter_count")};
}

HistoryTrain train_of(const JsonFields& fields) {
  return {fields.count("update"),
          fields.number("epoch"),
          fields.number("loss"),
          fields.number("lr"),
          fields.number("grad_norm"),
          fields.number("tokens_per_s"),
          fields.optional_number("eta_s"),
          fields.optional_number("loss_scale"),
          fields.optional_count("skipped_updates")};
}

HistoryEpoch epoch_of(const JsonFields& fields) {
  const JsonFields time = fields.object("time_s");
  const JsonFields memory = fields.object("peak_memory_bytes");
  HistoryEpoch epoch;
  epoch.update = fields.count("update");
  epoch.epoch = fields.number("epoch");
  epoch.train_loss = fields.optional_number("train_loss");
  epoch.train_accuracy = fields.optional_number("train_accuracy");
  epoch.validation_accuracy = fields.optional_number("validation_accuracy");
  epoch.validation_loss = fields.optional_number("validation_loss");
  epoch.validation_macro_f1 = fields.optional_number("validation_macro_f1");
  epoch.validation_ece = fields.optional_number("validation_ece");
  epoch.best = fields.optional_flag("best");
  epoch.time = {time.number("data"), time.number("forward"), time.number("backward"),
                time.number("optimizer"), time.number("evaluation")};
  // device_used came later than the others.
  epoch.memory = {memory.count("host_rss"), memory.count("device_allocated"),
                  memory.count("device_reserved"),
                  memory.optional_count("device_used").value_or(0)};
  return epoch;
}

HistoryDivergence divergence_of(const JsonFields& fields) {
  return {fields.count("update"),
          fields.number("loss"),
          fields.number("lr"),
          fields.number("grad_norm"),
          fields.optional_number("loss_scale"),
          fields.counts("rows")};
}

HistoryDone done_of(const JsonFields& fields) {
  return {fields.count("updates"),
          fields.number("training_time_s"),
          fields.optional_count("best_update"),
          fields.optional_number("best_accuracy"),
          fields.optional_flag("stopped_early"),
          fields.optional_count("stopped_by_signal").value_or(0)};
}

/// Takes back what a resume at `update` made again.
void rewind(RunHistory& history, std::int64_t update) {
  const auto later = [update](const auto& line) { return line.update > update; };
  history.replaced_lines += static_cast<std::int64_t>(std::erase_if(history.train, later) +
                                                      std::erase_if(history.epochs, later));
  std::erase_if(history.starts, later);
  history.divergence.reset();
  history.done.reset();
}

void add_line(RunHistory& history, const std::string& type, const JsonFields& fields) {
  if (type == "start") {
    HistoryStart start = start_of(fields);
    rewind(history, start.update);
    history.starts.push_back(std::move(start));
  } else if (type == "train") {
    history.train.push_back(train_of(fields));
  } else if (type == "epoch") {
    history.epochs.push_back(epoch_of(fields));
  } else if (type == "diverged") {
    history.divergence = divergence_of(fields);
  } else if (type == "done") {
    history.done = done_of(fields);
  }
}

}  // namespace

RunHistory read_run_history(const std::filesystem::path& path) {
  const std::string content = read_file(path);
  RunHistory history;
  std::string damage;  // of the line before, which is excused if a `start` line follows
  std::size_t number = 0;
  for (std::size_t begin = 0; begin < content.size();) {
    const std::size_t found = content.find('\n', begin);
    const std::size_t end = found == std::string::npos ? content.size() : found;
    const std::string_view line = std::string_view(content).substr(begin, end - begin);
    begin = end + 1;
    const std::string place = fmt::format("{}:{}", path.string(), ++number);
    nlohmann::json object;
    try {
      object = read_json_object(line, place, "one JSON object a line");
    } catch (const DataError& error) {
      if (!damage.empty()) throw DataError(damage);
      damage = error.what();
      continue;
    }
    const JsonFields fields(object, place);
    const std::string type = fields.text("type");
    if (!damage.empty()) {
      if (type != "start") throw DataError(damage);
      ++history.cut_off_lines;
      damage.clear();
    }
    add_line(history, type, fields);
  }
  if (!damage.empty()) {
    if (content.ends_with('\n')) throw DataError(damage);
    ++history.cut_off_lines;
  }
  return history;
}

}  // namespace diffuse
