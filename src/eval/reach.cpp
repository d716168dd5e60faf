#include "diffuse/eval/reach.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

#include "diffuse/base/error.hpp"
#include "diffuse/base/random.hpp"
#include "diffuse/base/statistics.hpp"
#include "diffuse/data/packed_rows.hpp"
#include "diffuse/data/text_pieces.hpp"
#include "diffuse/eval/evaluator.hpp"

namespace diffuse {
namespace {

constexpr std::size_t kVariants = 4;  // as it is, with one edit, with the other, with both

/// A text, two of its places, and what stands there instead.
struct EditPair {
  std::uint32_t row = 0;
  std::size_t first = 0;
  std::size_t second = 0;
  std::int32_t first_token = 0;
  std::int32_t second_token = 0;
};

/// Draws edits of texts of a view.
class EditDrawer {
 public:
  EditDrawer(const DatasetView& view, std::uint64_t seed)
      : data_(*view.data), rows_(view.rows), random_(seed) {
    std::stable_sort(rows_.begin(), rows_.end(), [this](std::uint32_t a, std::uint32_t b) {
      return data_.length(a) < data_.length(b);
    });
  }

  std::int64_t longest() const { return rows_.empty() ? 0 : data_.length(rows_.back()); }

  /// Of any text that is longer than `distance`.
  EditPair draw(std::int64_t distance) {
    const auto begin = std::partition_point(rows_.begin(), rows_.end(), [&](std::uint32_t row) {
      return data_.length(row) <= distance;
    });
    EditPair pair;
    pair.row =
        begin[static_cast<std::ptrdiff_t>(below(static_cast<std::size_t>(rows_.end() - begin)))];
    const auto way = static_cast<std::size_t>(distance);
    const auto length = static_cast<std::size_t>(data_.length(pair.row));
    const std::vector<std::int32_t> tokens = tokens_of(pair.row);
    pair.first = below(length - way);
    pair.second = pair.first + way;
    pair.first_token = another(tokens[pair.first]);
    pair.second_token = another(tokens[pair.second]);
    return pair;
  }

  std::vector<std::int32_t> tokens_of(std::uint32_t row) const {
    std::vector<std::int32_t> tokens;
    data_.tokens(row, tokens);
    return tokens;
  }

 private:
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(random_.below(bound)); }

  /// A token of the texts, as often as it is there, but not `known`.
  std::int32_t another(std::int32_t known) {
    constexpr int kTries = 10000;
    for (int i = 0; i < kTries; ++i) {
      const std::vector<std::int32_t> tokens = tokens_of(rows_[below(rows_.size())]);
      if (tokens.empty()) continue;
      if (const std::int32_t drawn = tokens[below(tokens.size())]; drawn != known) return drawn;
    }
    throw UserError(
        "Edits need texts with different tokens; what was drawn from these had the same one each "
        "time. Expected a file with other texts.");
  }

  const EncodedDataset& data_;
  std::vector<std::uint32_t> rows_;  // the shortest first
  Random random_;
};

/// All variants of each pair, one behind the other.
PackedRows pack_variants(const EditDrawer& drawer, std::span<const EditPair> pairs) {
  std::vector<std::int32_t> tokens;
  std::vector<std::int32_t> offsets = {0};
  for (const EditPair& pair : pairs) {
    const std::vector<std::int32_t> text = drawer.tokens_of(pair.row);
    for (std::size_t variant = 0; variant < kVariants; ++variant) {
      const std::size_t begin = tokens.size();
      tokens.insert(tokens.end(), text.begin(), text.end());
      if ((variant & 1) != 0) tokens[begin + pair.first] = pair.first_token;
      if ((variant & 2) != 0) tokens[begin + pair.second] = pair.second_token;
      offsets.push_back(static_cast<std::int32_t>(tokens.size()));
    }
  }
  return {tokens, offsets, std::vector<std::int64_t>(pairs.size() * kVariants)};
}

/// The largest element without sign of the sum of `logits`' rows, each times its factor.
double size_of(std::span<const float> logits, std::span<const double, kVariants> factors,
               bool centred) {
  const std::size_t classes = logits.size() / kVariants;
  std::vector<double> sum(classes);
  for (std::size_t variant = 0; variant < kVariants; ++variant)
    for (std::size_t c = 0; c < classes; ++c)
      sum[c] += factors[variant] * static_cast<double>(logits[variant * classes + c]);
  const double middle =
      centred ? std::accumulate(sum.begin(), sum.end(), 0.0) / static_cast<double>(classes) : 0;
  double largest = 0;
  for (const double element : sum) largest = std::max(largest, std::abs(element - middle));
  return largest;
}

/// What the pairs of one distance changed.
struct Changes {
  std::vector<double> alone;
  std::vector<double> together;

  void add(std::span<const float> logits, bool centred) {
    constexpr double kFirst[] = {-1, 1, 0, 0};
    constexpr double kSecond[] = {-1, 0, 1, 0};
    constexpr double kTogether[] = {1, -1, -1, 1};
    alone.push_back((size_of(logits, kFirst, centred) + size_of(logits, kSecond, centred)) / 2);
    together.push_back(size_of(logits, kTogether, centred));
  }
};

ReachFigure figure_of(std::int64_t distance, const Changes& changes) {
  const auto count = static_cast<double>(changes.alone.size());
  return {
      .distance = distance,
      .pairs = static_cast<std::int64_t>(changes.alone.size()),
      .change = mean(changes.alone),
      .together = mean(changes.together),
      .together_error = sample_standard_deviation(changes.together).value_or(0) / std::sqrt(count)};
}

/// How far apart two tokens of a text of `length` are at most that stand in one piece of it. The
/// last piece is the longest; of special tokens it has the text's own at its end.
std::int64_t farthest_in_piece(std::int64_t length, const PieceRule& rule) {
  const std::int64_t pieces = rule.piece_count(length);
  if (pieces == 1) return length - 1;
  const std::int64_t own = length - (rule.special_tokens ? 2 : 0);
  const std::int64_t longest = (own + pieces - 1) / pieces;
  return rule.special_tokens ? longest : longest - 1;
}

}  // namespace

std::vector<ReachFigure> measure_reach(Classifier& classifier, const DatasetView& view,
                                       const ReachOptions& options) {
  if (classifier.random_at_evaluation())
    throw Error("The model adds noise when it evaluates, which hides what an edit changes.");
  EditDrawer drawer(view, options.seed);
  if (drawer.longest() < 2)
    throw UserError(
        "Two edits need a text of two tokens or more; expected a file with longer texts.");
  const std::int64_t most_tokens = evaluation_batch_tokens(classifier);
  std::vector<ReachFigure> figures;
  for (std::int64_t distance = 1; distance < drawer.longest(); distance *= 2) {
    Changes changes;
    std::vector<EditPair> pairs;
    std::int64_t tokens = 0;
    const auto compute = [&] {
      const Batch batch = make_batch(pack_variants(drawer, pairs), classifier.device());
      const at::Tensor logits = predict_logits(classifier, batch, {}, options.precision);
      const auto width = kVariants * static_cast<std::size_t>(logits.size(1));
      for (std::size_t i = 0; i < pairs.size(); ++i)
        changes.add({logits.const_data_ptr<float>() + i * width, width}, !options.several_labels);
      pairs.clear();
      tokens = 0;
    };
    for (std::int64_t i = 0; i < options.pairs; ++i) {
      pairs.push_back(drawer.draw(distance));
      tokens += std::int64_t{kVariants} * view.data->length(pairs.back().row);
      constexpr std::size_t kMostPairs = 64;
      if (pairs.size() >= kMostPairs || (most_tokens > 0 && tokens >= most_tokens)) compute();
    }
    if (!pairs.empty()) compute();
    figures.push_back(figure_of(distance, changes));
  }
  return figures;
}

std::optional<std::int64_t> farthest_pair(const Config& config, const DatasetView& view) {
  const ModelConfig& model = config.model;
  if (model.type != ModelType::diffusion) return std::nullopt;
  // What the last step adds up is read by its norm, where that comes after it, and else by none.
  const std::int64_t steps = model.norm == NormPosition::post ? model.steps : model.steps - 1;
  std::int64_t reach = 0;  // tokens to one side
  for (std::int64_t t = 0; t < steps; ++t)
    reach += model.radius * model.dilation[static_cast<std::size_t>(t) % model.dilation.size()];
  std::int64_t read_together = 0;
  for (const std::uint32_t row : view.rows)
    read_together = std::max(
        read_together, farthest_in_piece(view.data->length(row), piece_rule(config.tokenizer)));
  return std::min(model.causal ? reach : 2 * reach, read_together);
}

}  // namespace diffuse
