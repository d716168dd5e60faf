#include "predictor.hpp"

#include <ATen/core/Tensor.h>
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "diffuse/base/log.hpp"
#include "diffuse/base/progress.hpp"
#include "diffuse/data/text_pieces.hpp"
#include "diffuse/device/device.hpp"
#include "diffuse/eval/evaluator.hpp"
#include "diffuse/eval/label_answers.hpp"
#include "output.hpp"

namespace diffuse::cli {
namespace {

constexpr std::uint64_t kNoiseSeed = 1;

/// The logarithms of the classes' shares of `rows`, which softmax gives back; empty without rows.
std::vector<float> share_logits(const std::vector<std::int64_t>& rows) {
  const auto all = static_cast<double>(std::accumulate(rows.begin(), rows.end(), std::int64_t{0}));
  if (all == 0) return {};
  std::vector<float> logits;
  logits.reserve(rows.size());
  for (const std::int64_t count : rows)
    logits.push_back(
        static_cast<float>(std::log(std::max(static_cast<double>(count) / all, 1e-30))));
  return logits;
}

}  // namespace

Predictor::Predictor(OpenedModel& opened, OutputForm form)
    : opened_(opened),
      pool_(opened.threads),
      lines_(opened.model.labels, std::move(form)),
      generator_(make_generator(opened.device, kNoiseSeed)) {
  if (lines_.explains()) explainer_.emplace(opened.model);
  if (!opened.model.data) return;
  const DataFacts& facts = *opened.model.data;
  class_logits_ =
      opened.model.several_labels() ? label_log_odds(facts) : share_logits(facts.class_rows);
}

void Predictor::answer(const RecordBlock& block) {
  compute(block);
  if (!others_.empty()) average_with_others(block);
  unanswered_ += std::count(not_finite_.begin(), not_finite_.end(), true);
  write_lines(block);
}

void Predictor::compute(const RecordBlock& block) {
  const LoadedModel& model = opened_.model;
  encode_batch(*model.tokenizer, block.texts(), model.config.tokenizer.cut_at(), pool_, encoded_);
  if (model.ngrams) model.ngrams->vocabulary.encode(block.texts(), pool_, ngrams_);
  read_texts();
  run_model(block);
  find_unanswered();
}

/// Marks the records whose logits are no answer: which one is the largest cannot be said.
void Predictor::find_unanswered() {
  const auto classes = static_cast<std::size_t>(opened_.model.labels.size());
  not_finite_.assign(unknown_shares_.size(), false);
  for (std::size_t i = 0; i < logits_.size(); ++i)
    if (!std::isfinite(logits_[i])) not_finite_[i / classes] = true;
}

/// What this model knows of the texts stands in the lines; the ensemble's logits are the logarithms
/// of its probabilities.
void Predictor::average_with_others(const RecordBlock& block) {
  std::vector<double> sums(probabilities_.begin(), probabilities_.end());
  for (const auto& other : others_) {
    other->compute(block);
    for (std::size_t i = 0; i < sums.size(); ++i)
      sums[i] += static_cast<double>(other->probabilities_[i]);
    for (std::size_t i = 0; i < not_finite_.size(); ++i)
      not_finite_[i] = not_finite_[i] || other->not_finite_[i];
  }
  constexpr double kLeast = 1e-30;
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const double mean = sums[i] / static_cast<double>(others_.size() + 1);
    probabilities_[i] = static_cast<float>(mean);
    logits_[i] = static_cast<float>(std::log(std::max(mean, kLeast)));
  }
}

/// Counts what the model does not read of the texts.
void Predictor::read_texts() {
  const bool with_specials = opened_.model.config.tokenizer.special_tokens;
  const std::int32_t unknown_id = opened_.model.tokenizer->unknown_id();
  const PieceRule rule = piece_rule(opened_.model.config.tokenizer);
  const std::size_t count = encoded_.lengths.size();
  unknown_shares_.resize(count);
  bool any_empty = false;
  for (std::size_t i = 0; i < count; ++i) {
    const auto begin = encoded_.ids.begin() + encoded_.offsets[i];
    const auto end = encoded_.ids.begin() + encoded_.offsets[i + 1];
    const std::int64_t length = end - begin;
    if (encoded_.lengths[i] > length) ++cut_texts_;
    if (const std::int64_t pieces = rule.piece_count(length); pieces > 1) {
      ++pooled_texts_;
      pieces_ += pieces;
    }
    const std::int64_t specials = with_specials && length >= 2 ? 2 : 0;
    const std::int64_t words = std::max<std::int64_t>(length - specials, 1);
    const std::int64_t unknown = length == specials ? 1 : std::count(begin, end, unknown_id);
    unknown_shares_[i] = static_cast<double>(unknown) / static_cast<double>(words);
    any_empty |= length == 0;
    tokens_ += words;
    unknown_tokens_ += unknown;
    unknown_texts_ += unknown == words && !knows_ngrams(i);
  }
  texts_ += static_cast<std::int64_t>(count);
  if (any_empty) fill_empty_texts();
}

/// A text without a token has the unknown one.
void Predictor::fill_empty_texts() {
  EncodedTexts filled;
  filled.start(encoded_.lengths.size());
  for (std::size_t i = 0; i < encoded_.lengths.size(); ++i) {
    const auto begin = encoded_.ids.begin() + encoded_.offsets[i];
    const auto end = encoded_.ids.begin() + encoded_.offsets[i + 1];
    filled.ids.insert(filled.ids.end(), begin, end);
    if (begin == end) filled.ids.push_back(opened_.model.tokenizer->unknown_id());
    filled.offsets[i + 1] = std::ssize(filled.ids);
  }
  std::swap(encoded_, filled);
}

/// A text of unknown words alone, without an n-gram either, says nothing: it gets the training
/// rows' shares.
void Predictor::run_model(const RecordBlock& block) {
  const auto classes = static_cast<std::size_t>(opened_.model.labels.size());
  ForwardContext context;
  context.generator = generator_;
  logits_.resize(unknown_shares_.size() * classes);
  struct Queued {
    std::size_t first;  // text
    at::Tensor logits;
  };
  std::vector<Queued> queued;
  const auto fetch = [&] {
    for (const Queued& one : queued) {
      const at::Tensor own = fetch_logits(one.logits);
      std::copy_n(own.const_data_ptr<float>(), own.numel(), &logits_[one.first * classes]);
    }
    queued.clear();
  };
  std::size_t first = 0;
  for (const std::size_t end : block.batches) {
    const std::int64_t base = encoded_.offsets[first];
    PackedRows rows;
    rows.resize(static_cast<std::size_t>(encoded_.offsets[end] - base), end - first);
    std::copy(encoded_.ids.begin() + base, encoded_.ids.begin() + encoded_.offsets[end],
              rows.tokens().begin());
    for (std::size_t i = first; i <= end; ++i)
      rows.offsets()[i - first] = static_cast<std::int32_t>(encoded_.offsets[i] - base);
    std::ranges::fill(rows.labels(), 0);
    queued.push_back(
        {first, queue_logits(*opened_.model.classifier, make_batch(std::move(rows), opened_.device),
                             context, opened_.precision)});
    if (queued.size() >= batches_ahead(opened_.device)) fetch();
    first = end;
  }
  fetch();
  if (opened_.model.ngrams) add_ngrams();
  apply_temperature(logits_, opened_.model.temperature);
  for (std::size_t i = 0; i < unknown_shares_.size(); ++i) {
    if (!is_answered_by_shares(i)) continue;
    std::copy(class_logits_.begin(), class_logits_.end(), &logits_[i * classes]);
  }
  probabilities_ = opened_.model.several_labels()
                       ? label_probabilities(logits_)
                       : class_probabilities(logits_, opened_.model.labels.size());
}

/// Adds the linear branch's logits to the network's.
void Predictor::add_ngrams() {
  constexpr std::int64_t kPart = 64;
  const LoadedNgrams& branch = *opened_.model.ngrams;
  const auto classes = static_cast<std::size_t>(opened_.model.labels.size());
  const std::int64_t texts = std::ssize(unknown_shares_);
  pool_.run((texts + kPart - 1) / kPart, [&](std::int64_t part, std::int64_t) {
    std::vector<float> own(classes);
    for (std::int64_t i = part * kPart; i < std::min(texts, (part + 1) * kPart); ++i) {
      const auto begin = static_cast<std::size_t>(ngrams_.offsets[static_cast<std::size_t>(i)]);
      const auto end = static_cast<std::size_t>(ngrams_.offsets[static_cast<std::size_t>(i) + 1]);
      branch.trained.model.logits(std::span(ngrams_.values).subspan(begin, end - begin),
                                  own.data());
      add_branches(std::span(logits_).subspan(static_cast<std::size_t>(i) * classes, classes), own,
                   branch.factors);
    }
  });
}

/// Explained, records are written as they are done: that takes some milliseconds each.
void Predictor::write_lines(const RecordBlock& block) {
  const std::size_t part_size = explainer_ ? 4 : 512;
  const std::vector<std::string_view> texts =
      explainer_ ? block.texts() : std::vector<std::string_view>();
  std::vector<std::string> parts((block.size() + part_size - 1) / part_size);
  const std::size_t at_a_time =
      explainer_ ? static_cast<std::size_t>(4 * pool_.threads()) : parts.size();
  for (std::size_t first = 0; first < parts.size(); first += at_a_time) {
    const std::size_t count = std::min(at_a_time, parts.size() - first);
    const auto write = [&](std::int64_t task, std::int64_t) {
      const std::size_t part = first + static_cast<std::size_t>(task);
      add_lines(block, texts, part * part_size, std::min((part + 1) * part_size, block.size()),
                parts[part]);
    };
    if (explainer_ && (count == 1 || !opened_.device.is_cpu())) {
      for (std::size_t i = 0; i < count; ++i) write(static_cast<std::int64_t>(i), 0);
    } else {
      pool_.run(static_cast<std::int64_t>(count), [&](std::int64_t task, std::int64_t worker) {
        const OneThreadScope one(explainer_.has_value());
        write(task, worker);
      });
    }
    for (std::size_t i = first; i < first + count; ++i) {
      write_output(parts[i]);
      parts[i] = {};
    }
  }
}

/// The lines of the block's records `begin` … `end` - 1.
void Predictor::add_lines(const RecordBlock& block, const std::vector<std::string_view>& texts,
                          std::size_t begin, std::size_t end, std::string& out) {
  const auto classes = static_cast<std::size_t>(opened_.model.labels.size());
  const std::vector<RecordBlock::Unusable>& unusable = block.unusable;
  auto error = std::lower_bound(
      unusable.begin(), unusable.end(), begin,
      [](const RecordBlock::Unusable& one, std::size_t place) { return one.place < place; });
  for (std::size_t i = begin; i < end; ++i) {
    const std::span<const KeptValue> kept =
        i < block.kept.size() ? block.kept[i] : std::span<const KeptValue>();
    if (error != unusable.end() && error->place == i) {
      lines_.add_error(error->message, kept, out);
      ++error;
      continue;
    }
    const std::size_t usable = i - static_cast<std::size_t>(error - unusable.begin());
    if (not_finite_[usable]) {
      lines_.add_error(kNoFiniteLogits, kept, out);
      continue;
    }
    Answer answer{{&probabilities_[usable * classes], classes},
                  {&logits_[usable * classes], classes},
                  unknown_shares_[usable]};
    std::vector<Explanation> explanations;
    if (explainer_) {
      answer.text = texts[usable];
      for (const std::int32_t label : lines_.explained_classes(answer.probabilities))
        explanations.push_back(explain(answer.text, usable, label));
      answer.explanations = explanations;
    }
    lines_.add_answer(answer, kept, out);
  }
}

/// Why the usable record has its logit of `label`.
Explanation Predictor::explain(std::string_view text, std::size_t usable, std::int32_t label) {
  const auto classes = static_cast<std::size_t>(opened_.model.labels.size());
  if (is_answered_by_shares(usable)) {
    const auto logit =
        static_cast<double>(logits_[usable * classes + static_cast<std::size_t>(label)]);
    return {.label = label, .logit = logit, .baseline = logit};
  }
  Explanation explanation = explainer_->explain(text, label);
  if (!(std::abs(explanation.error()) <= Explainer::kTolerance)) ++unexplained_;
  return explanation;
}

void Predictor::report() const {
  constexpr double kManyCut = 0.05;
  constexpr double kManyUnknown = 0.3;
  const auto tell = [](bool warn, const std::string& message) {
    warn ? log::warning("{}", message) : log::info("{}", message);
  };
  const auto share = [](std::int64_t part, std::int64_t whole) {
    return static_cast<double>(part) / static_cast<double>(std::max<std::int64_t>(whole, 1));
  };
  if (cut_texts_ > 0) {
    tell(share(cut_texts_, texts_) >= kManyCut,
         fmt::format("{} of {} texts ({:.3g} %) are longer than tokenizer.max_tokens = {}: what "
                     "stands behind is cut off and not read",
                     format_count(cut_texts_), format_count(texts_),
                     100 * share(cut_texts_, texts_), opened_.model.config.tokenizer.max_tokens));
  }
  if (pooled_texts_ > 0)
    log::info(
        "{} of {} texts are longer than tokenizer.max_tokens = {}: the network has read them in {} "
        "pieces and answered with the mean of a text's logits",
        format_count(pooled_texts_), format_count(texts_),
        opened_.model.config.tokenizer.max_tokens, format_count(pieces_));
  if (unknown_tokens_ > 0) {
    const double unknown = share(unknown_tokens_, tokens_);
    const std::string only_unknown =
        unknown_texts_ == 0
            ? ""
            : fmt::format("; {} of {} texts hold no other{}", format_count(unknown_texts_),
                          format_count(texts_),
                          class_logits_.empty()
                              ? ""
                              : " and are answered with the training rows' class shares");
    tell(unknown >= kManyUnknown || share(unknown_texts_, texts_) >= kManyUnknown,
         fmt::format("{:.3g} % of the texts' words are not in the model's vocabulary{}",
                     100 * unknown, only_unknown));
  }
  if (unexplained_ > 0)
    log::warning(
        "{} of {} explanations do not add up to their logit within {}: the network is too steep "
        "between its baseline and the text",
        format_count(unexplained_), format_count(texts_), Explainer::kTolerance);
}

}  // namespace diffuse::cli
