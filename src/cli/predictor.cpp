#include "predictor.hpp"

#include <ATen/core/Tensor.h>
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "diffuse/base/log.hpp"
#include "diffuse/base/progress.hpp"
#include "diffuse/device/device.hpp"
#include "diffuse/eval/evaluator.hpp"
#include "output.hpp"

namespace diffuse::cli {
namespace {

// A batch is also cut at this many bytes, so that long texts do not pile up.
constexpr std::size_t kMaxBatchBytes = std::size_t{8} << 20;
constexpr std::uint64_t kNoiseSeed = 1;

/// The logarithms of the classes' shares of `rows`, which softmax gives back; empty without rows.
std::vector<float> share_logits(const std::vector<std::int64_t>& rows) {
  const auto all = static_cast<double>(std::accumulate(rows.begin(), rows.end(), std::int64_t{0}));
  if (all == 0) return {};
  std::vector<float> logits;
  for (const std::int64_t count : rows)
    logits.push_back(
        static_cast<float>(std::log(std::max(static_cast<double>(count) / all, 1e-30))));
  return logits;
}

}  // namespace

Predictor::Predictor(OpenedModel& opened, std::int64_t batch_size, OutputForm form)
    : opened_(opened),
      batch_size_(static_cast<std::size_t>(batch_size)),
      form_(std::move(form)),
      generator_(make_generator(opened.device, kNoiseSeed)) {
  if (opened.model.data) class_logits_ = share_logits(opened.model.data->class_rows);
}

void Predictor::add(Example example) {
  bytes_ += example.text.size();
  records_.push_back({std::move(example.text), "", std::move(example.kept)});
}

void Predictor::add_error(std::string message, std::vector<KeptValue> kept) {
  records_.push_back({"", std::move(message), std::move(kept)});
}

bool Predictor::full() const { return records_.size() >= batch_size_ || bytes_ >= kMaxBatchBytes; }

Predictor::Encoded Predictor::encode(const std::vector<std::string>& texts) {
  const LoadedModel& model = opened_.model;
  const TokenizerConfig& config = model.config.tokenizer;
  const auto limit = static_cast<std::size_t>(config.max_tokens);
  std::vector<std::int64_t> bounds;
  std::vector<std::int32_t> ids;
  // Threads cost more than they bring for the few lines of a slow pipe.
  const int threads = texts.size() < 16 ? 1 : opened_.threads;
  // One id more than is read tells which texts are cut.
  encode_batch(*model.tokenizer, texts, limit == 0 ? 0 : config.max_tokens + 1, threads, ids,
               bounds);
  Encoded encoded;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    std::span<std::int32_t> row(ids.data() + bounds[i], ids.data() + bounds[i + 1]);
    if (limit > 0 && row.size() > limit) {
      ++cut_texts_;
      // [SEP] stands last, however much of the text is left.
      if (config.special_tokens) row[limit - 1] = row.back();
      row = row.first(limit);
    }
    encoded.tokens.insert(encoded.tokens.end(), row.begin(), row.end());
    if (row.empty()) encoded.tokens.push_back(model.tokenizer->unknown_id());
    encoded.offsets.push_back(static_cast<std::int32_t>(encoded.tokens.size()));
    const std::size_t specials = config.special_tokens && row.size() >= 2 ? 2 : 0;
    const auto words = static_cast<std::int64_t>(std::max<std::size_t>(row.size() - specials, 1));
    const std::int64_t unknown =
        row.size() == specials ? 1
                               : std::count(row.begin(), row.end(), model.tokenizer->unknown_id());
    encoded.unknown_shares.push_back(static_cast<double>(unknown) / static_cast<double>(words));
    tokens_ += words;
    unknown_tokens_ += unknown;
    unknown_texts_ += unknown == words;
  }
  texts_ += static_cast<std::int64_t>(texts.size());
  return encoded;
}

/// [B, C] row-major. A text of unknown words alone says nothing: it gets the training rows' shares.
std::vector<float> Predictor::logits_of(const Encoded& encoded) {
  const std::size_t count = encoded.unknown_shares.size();
  if (count == 0) return {};
  PackedRows rows(encoded.tokens, encoded.offsets, std::vector<std::int64_t>(count));
  ForwardContext context;
  context.generator = generator_;
  const at::Tensor tensor = predict_logits(
      *opened_.model.classifier, make_batch(std::move(rows), opened_.device), context, opened_.precision);
  const float* values = tensor.const_data_ptr<float>();
  std::vector<float> logits(values, values + tensor.numel());
  for (std::size_t i = 0; i < count && !class_logits_.empty(); ++i) {
    if (encoded.unknown_shares[i] < 1) continue;
    std::copy(class_logits_.begin(), class_logits_.end(),
              logits.begin() + static_cast<std::ptrdiff_t>(i * class_logits_.size()));
  }
  return logits;
}

void Predictor::flush() {
  if (records_.empty()) return;
  std::vector<std::string> texts;
  for (Record& record : records_) {
    if (record.error.empty()) texts.push_back(std::move(record.text));
  }
  const Encoded encoded = encode(texts);
  const std::vector<float> logits = logits_of(encoded);
  const Labels& labels = opened_.model.labels;
  const std::vector<float> probabilities = class_probabilities(logits, labels.size());
  const auto classes = static_cast<std::size_t>(labels.size());
  std::string out;
  std::size_t usable = 0;
  for (const Record& record : records_) {
    if (!record.error.empty()) {
      out += format_error(record.error, record.kept, form_);
      continue;
    }
    const std::size_t first = usable * classes;
    out += format_prediction({{probabilities.data() + first, classes},
                              {logits.data() + first, classes},
                              encoded.unknown_shares[usable]},
                             record.kept, labels, form_);
    ++usable;
  }
  write_output(out);
  records_.clear();
  bytes_ = 0;
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
}

}  // namespace diffuse::cli
