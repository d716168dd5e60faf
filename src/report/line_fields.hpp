#pragma once

#include <type_traits>

#include "diffuse/report/metric_lines.hpp"

namespace diffuse {

// The keys of every line of `metrics.jsonl`, named once for the writer and the reader:
// `visit_fields` offers each member of `line`, const where it is written, to `visit`.
//
//   visit(key, member)              always there; an absent optional is null
//   visit.if_any(key, member)       left out where it is absent
//   visit.added_later(key, member)  always written; files of earlier versions lack it
//   visit.object(key, member)       a nested object; left out where it is an absent optional

template <class Line, class Type>
concept LineOf = std::is_same_v<std::remove_const_t<Line>, Type>;

template <LineOf<HistoryStart> Line, class Visit>
void visit_fields(Line& line, Visit& visit) {
  visit("time", line.time);
  visit("update", line.update);
  visit("total_updates", line.total_updates);
  visit("updates_per_epoch", line.updates_per_epoch);
  visit("device", line.device);
  visit("precision", line.precision);
  visit("threads", line.threads);
  visit("parameter_count", line.parameter_count);
}

template <LineOf<HistoryTrain> Line, class Visit>
void visit_fields(Line& line, Visit& visit) {
  visit("update", line.update);
  visit("epoch", line.epoch);
  visit("loss", line.loss);
  visit("lr", line.learning_rate);
  visit("grad_norm", line.gradient_norm);
  visit("tokens_per_s", line.tokens_per_s);
  visit("eta_s", line.eta_s);
  visit.if_any("loss_scale", line.loss_scale);
  visit.if_any("skipped_updates", line.skipped_updates);
}

template <LineOf<HistoryTime> Line, class Visit>
void visit_fields(Line& line, Visit& visit) {
  visit("data", line.data_s);
  visit.if_any("forward", line.forward_s);
  visit.if_any("backward", line.backward_s);
  visit.if_any("forward_backward", line.forward_backward_s);
  visit("optimizer", line.optimizer_s);
  visit("evaluation", line.evaluation_s);
}

template <LineOf<HistoryMemory> Line, class Visit>
void visit_fields(Line& line, Visit& visit) {
  visit("host_rss", line.host_rss);
  visit("device_allocated", line.device_allocated);
  visit("device_reserved", line.device_reserved);
  visit.added_later("device_used", line.device_used);
}

template <LineOf<HistoryBaseline> Line, class Visit>
void visit_fields(Line& line, Visit& visit) {
  visit("model", line.model);
  visit("precision", line.precision);
  visit("batch_size", line.batch_size);
  visit("epoch_time_s", line.epoch_time_s);
  visit("peak_memory_bytes", line.peak_memory_bytes);
  visit("time_ratio", line.time_ratio);
  visit("memory_ratio", line.memory_ratio);
}

template <LineOf<HistoryEpoch> Line, class Visit>
void visit_fields(Line& line, Visit& visit) {
  visit("update", line.update);
  visit("epoch", line.epoch);
  visit("train_loss", line.train_loss);
  visit("train_accuracy", line.train_accuracy);
  visit.if_any("validation_accuracy", line.validation_accuracy);
  visit.if_any("validation_loss", line.validation_loss);
  visit.if_any("validation_macro_f1", line.validation_macro_f1);
  visit.if_any("validation_ece", line.validation_ece);
  visit.if_any("validation_micro_f1", line.validation_micro_f1);
  visit.if_any("validation_network_accuracy", line.validation_network_accuracy);
  visit.if_any("validation_ngram_accuracy", line.validation_ngram_accuracy);
  visit.added_later("best", line.best);
  visit.object("time_s", line.time);
  visit.object("peak_memory_bytes", line.memory);
  visit("epoch_time_s", line.epoch_time_s);
  visit.object("baseline", line.baseline);
}

template <LineOf<HistoryDivergence> Line, class Visit>
void visit_fields(Line& line, Visit& visit) {
  visit("update", line.update);
  visit("loss", line.loss);
  visit("lr", line.learning_rate);
  visit("grad_norm", line.gradient_norm);
  visit.if_any("loss_scale", line.loss_scale);
  visit("rows", line.rows);
}

template <LineOf<HistoryDone> Line, class Visit>
void visit_fields(Line& line, Visit& visit) {
  visit("updates", line.updates);
  visit("training_time_s", line.training_time_s);
  visit("best_update", line.best_update);
  visit("best_accuracy", line.best_accuracy);
  visit.added_later("stopped_early", line.stopped_early);
  visit.added_later("stopped_by_signal", line.stopped_by_signal);
}

}  // namespace diffuse
