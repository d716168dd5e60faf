#include "diffuse/train/metrics_log.hpp"

#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "diffuse/base/error.hpp"
#include "diffuse/base/system.hpp"

namespace diffuse {
namespace {

using Json = nlohmann::ordered_json;

/// Whether a process that was killed left a line without its end.
bool ends_within_a_line(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file || file.tellg() == std::ifstream::pos_type(0)) return false;
  file.seekg(-1, std::ios::end);
  return file.get() != '\n';
}

Json optional_json(const std::optional<double>& value) { return value ? Json(*value) : Json(); }

}  // namespace

std::int64_t PeriodReport::peak_memory_bytes() const {
  return device_memory.allocated_peak_bytes > 0 ? device_memory.allocated_peak_bytes
                                                : peak_rss_bytes;
}

double PeriodReport::baseline_time_ratio() const {
  return baseline.value().epoch_time_s / epoch_time_s;
}

double PeriodReport::baseline_memory_ratio() const {
  return static_cast<double>(baseline.value().peak_memory_bytes) /
         static_cast<double>(peak_memory_bytes());
}

MetricsLog::MetricsLog(const std::filesystem::path& path)
    : path_(path), file_(path, std::ios::app | std::ios::binary) {
  if (!file_) throw SystemError(fmt::format("{}: cannot be opened for writing.", path.string()));
  if (ends_within_a_line(path)) file_ << '\n';
}

void MetricsLog::write(const StartReport& report) {
  Json json;
  json["type"] = "start";
  json["time"] = utc_now();
  json["update"] = report.update;
  json["total_updates"] = report.total_updates ? Json(*report.total_updates) : Json();
  json["updates_per_epoch"] = report.updates_per_epoch;
  json["device"] = report.device;
  json["precision"] = report.precision;
  json["threads"] = report.threads;
  json["parameter_count"] = report.parameter_count;
  write_line(json.dump());
}

void MetricsLog::write(const TrainReport& report) {
  Json json;
  json["type"] = "train";
  json["update"] = report.update;
  json["epoch"] = report.epoch;
  json["loss"] = report.loss;
  json["lr"] = report.learning_rate;
  json["grad_norm"] = report.gradient_norm;
  json["tokens_per_s"] = report.tokens_per_s;
  json["eta_s"] = optional_json(report.remaining_s);
  if (report.loss_scale) json["loss_scale"] = *report.loss_scale;
  if (report.skipped_updates) json["skipped_updates"] = *report.skipped_updates;
  write_line(json.dump());
}

void MetricsLog::write(const PeriodReport& report) {
  Json json;
  json["type"] = "epoch";
  json["update"] = report.update;
  json["epoch"] = report.epoch;
  json["train_loss"] = optional_json(report.train_loss);
  json["train_accuracy"] = optional_json(report.train_accuracy);
  if (report.validation) {
    json["validation_accuracy"] = report.validation->accuracy;
    json["validation_loss"] = report.validation->mean_loss;
    json["validation_macro_f1"] = optional_json(report.validation->macro_f1);
    json["validation_ece"] = report.validation->ece;
    json["best"] = report.best;
  }
  json["time_s"] = {{"data", report.time.data_s},
                    {"forward", report.time.forward_s},
                    {"backward", report.time.backward_s},
                    {"optimizer", report.time.optimizer_s},
                    {"evaluation", report.time.evaluation_s}};
  json["peak_memory_bytes"] = {{"host_rss", report.peak_rss_bytes},
                               {"device_allocated", report.device_memory.allocated_peak_bytes},
                               {"device_reserved", report.device_memory.reserved_peak_bytes},
                               {"device_used", report.device_memory.used_bytes}};
  json["epoch_time_s"] = report.epoch_time_s;
  if (report.baseline) {
    json["baseline"] = {{"model", report.baseline->model},
                        {"precision", report.baseline->precision},
                        {"batch_size", report.baseline->batch_size},
                        {"epoch_time_s", report.baseline->epoch_time_s},
                        {"peak_memory_bytes", report.baseline->peak_memory_bytes},
                        {"time_ratio", report.baseline_time_ratio()},
                        {"memory_ratio", report.baseline_memory_ratio()}};
  }
  write_line(json.dump());
}

void MetricsLog::write(const DivergedReport& report) {
  Json json;  // a number that is not finite becomes null
  json["type"] = "diverged";
  json["update"] = report.update;
  json["loss"] = report.loss;
  json["lr"] = report.learning_rate;
  json["grad_norm"] = report.gradient_norm;
  if (report.loss_scale) json["loss_scale"] = *report.loss_scale;
  json["rows"] = report.rows;
  write_line(json.dump());
}

void MetricsLog::write(const DoneReport& report) {
  Json json;
  json["type"] = "done";
  json["updates"] = report.updates;
  json["training_time_s"] = report.training_time_s;
  json["best_update"] = report.best_accuracy ? Json(report.best_update) : Json();
  json["best_accuracy"] = optional_json(report.best_accuracy);
  json["stopped_early"] = report.stopped_early;
  json["stopped_by_signal"] = report.stopped_by_signal;
  write_line(json.dump());
}

void MetricsLog::write_line(const std::string& line) {
  file_ << line << '\n';
  file_.flush();
  if (!file_) throw SystemError(fmt::format("{}: writing failed.", path_.string()));
}

}  // namespace diffuse
