#include "split.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <span>
#include <vector>

#include "diffuse/base/random.hpp"
#include "equal_texts.hpp"

namespace diffuse {
namespace {

constexpr std::uint64_t kSplitStream = 0x73706c6974;  // "split": apart from the epochs' streams

struct Share {
  std::int32_t label;
  std::size_t rows;   // to validation
  std::size_t limit;  // one row fewer than the class has
  double remainder;
};

using Classes = std::map<std::int32_t, std::vector<std::uint32_t>>;

/// The classes' shares of `wanted` rows, in the order in which they are served.
std::vector<Share> make_shares(const Classes& classes, double fraction, std::size_t wanted) {
  std::vector<Share> shares;
  std::size_t given = 0;
  for (const auto& [label, rows] : classes) {
    const double exact = fraction * static_cast<double>(rows.size());
    const std::size_t limit = rows.size() - 1;
    // At least one: a class without a row is not seen by whoever chooses.
    const std::size_t share =
        std::min(std::max(static_cast<std::size_t>(exact), std::size_t{1}), limit);
    // A class that got a row for its fraction of one has had its rounding.
    const double remainder = exact < 1 && share > 0 ? 0 : exact - std::floor(exact);
    shares.push_back({label, share, limit, remainder});
    given += share;
  }
  std::stable_sort(shares.begin(), shares.end(),
                   [](const Share& a, const Share& b) { return a.remainder > b.remainder; });
  for (Share& share : shares) {
    if (given >= wanted) break;
    if (share.rows == share.limit) continue;
    ++share.rows;
    ++given;
  }
  return shares;
}

/// Moves texts to validation, each with all of its rows.
class TextMover {
 public:
  TextMover(std::span<const std::int32_t> labels, std::span<const std::uint64_t> keys,
            const std::vector<Share>& shares)
      : labels_(labels),
        by_text_(rows_by_text(keys)),
        group_of_(labels.size()),
        taken_(labels.size()) {
    begins_.reserve(by_text_.size() + 1);
    for (std::size_t i = 0; i < by_text_.size(); ++i) {
      if (i == 0 || keys[by_text_[i]] != keys[by_text_[i - 1]])
        begins_.push_back(static_cast<std::uint32_t>(i));
      group_of_[by_text_[i]] = static_cast<std::uint32_t>(begins_.size() - 1);
    }
    begins_.push_back(static_cast<std::uint32_t>(by_text_.size()));
    refused_.resize(begins_.size() - 1);
    for (std::size_t text = 0; text + 1 < begins_.size(); ++text) sort_by_label(text);
    for (const Share& share : shares) room_[share.label] = share.limit;
  }

  /// Rows of the row's text that have its label.
  std::size_t size_of(std::uint32_t row) const {
    const std::span<const std::uint32_t> rows = group(row);
    const auto same = std::equal_range(
        rows.begin(), rows.end(), row,
        [this](std::uint32_t a, std::uint32_t b) { return labels_[a] < labels_[b]; });
    return static_cast<std::size_t>(same.second - same.first);
  }
  /// Of each row, whether it is in validation.
  const std::vector<bool>& taken() const { return taken_; }
  /// Rows of the class in validation.
  std::size_t given(std::int32_t label) const {
    const auto found = given_.find(label);
    return found == given_.end() ? 0 : found->second;
  }

  /// Whether every class of the row's text keeps a row in train. Where one does not it never will,
  /// since classes only lose rows: so a text of many rows is not looked through for each of them.
  bool may_take(std::uint32_t row) {
    if (taken_[row] || refused_[group_of_[row]]) return false;
    const std::span<const std::uint32_t> rows = group(row);
    for (std::size_t i = 0; i < rows.size();) {
      const std::int32_t label = labels_[rows[i]];
      const std::size_t needed = size_of(rows[i]);
      if (given(label) + needed > room_.at(label)) {
        refused_[group_of_[row]] = true;
        return false;
      }
      i += needed;
    }
    return true;
  }
  void take(std::uint32_t row) {
    for (const std::uint32_t member : group(row)) {
      taken_[member] = true;
      ++given_[labels_[member]];
    }
  }

 private:
  /// So that rows of one label stand side by side; their order tells nothing else.
  void sort_by_label(std::size_t text) {
    std::sort(by_text_.begin() + begins_[text], by_text_.begin() + begins_[text + 1],
              [this](std::uint32_t a, std::uint32_t b) {
                return labels_[a] != labels_[b] ? labels_[a] < labels_[b] : a < b;
              });
  }
  std::span<const std::uint32_t> group(std::uint32_t row) const {
    const std::size_t begin = begins_[group_of_[row]];
    return std::span(by_text_).subspan(begin, begins_[group_of_[row] + 1] - begin);
  }

  std::span<const std::int32_t> labels_;
  std::vector<std::uint32_t> by_text_;  // by text and label
  std::vector<std::uint32_t> begins_;   // of each text's rows in by_text_, and the end
  std::vector<std::uint32_t> group_of_;
  std::vector<bool> taken_;
  std::vector<bool> refused_;  // of each text
  std::map<std::int32_t, std::size_t> given_;
  std::map<std::int32_t, std::size_t> room_;
};

/// Gives the class of `rows` (shuffled) its share.
void serve(const Share& share, const std::vector<std::uint32_t>& rows, TextMover& mover) {
  for (const std::uint32_t row : rows) {
    if (mover.given(share.label) >= share.rows) return;
    const bool fits = mover.given(share.label) + mover.size_of(row) <= share.rows;
    if (fits && mover.may_take(row)) mover.take(row);
  }
  if (mover.given(share.label) > 0) return;
  // No text is short enough: better more rows than none, but the fewest.
  const std::uint32_t* best = nullptr;
  for (const std::uint32_t& row : rows) {
    const bool better = best == nullptr || mover.size_of(row) < mover.size_of(*best);
    if (better && mover.may_take(row)) best = &row;
  }
  if (best != nullptr) mover.take(*best);
}

}  // namespace

std::vector<bool> choose_stratified(std::span<const std::int32_t> labels,
                                    std::span<const std::uint64_t> texts, double fraction,
                                    std::uint64_t stream) {
  Classes classes;
  for (std::size_t i = 0; i < labels.size(); ++i)
    classes[labels[i]].push_back(static_cast<std::uint32_t>(i));
  const auto wanted =
      static_cast<std::size_t>(std::floor(fraction * static_cast<double>(labels.size()) + 0.5));
  const std::vector<Share> shares = make_shares(classes, fraction, wanted);
  TextMover mover(labels, texts, shares);
  for (const Share& share : shares) {
    if (share.rows == 0) continue;
    std::vector<std::uint32_t>& rows = classes[share.label];
    Random random(mix_seed(stream, static_cast<std::uint64_t>(share.label)));
    shuffle(rows, random);
    serve(share, rows, mover);
  }
  return mover.taken();
}

std::vector<bool> split_stratified(std::span<const std::int32_t> labels,
                                   std::span<const std::uint64_t> texts, double fraction,
                                   std::int64_t seed) {
  if (fraction == 0) return std::vector<bool>(labels.size());
  return choose_stratified(labels, texts, fraction,
                           mix_seed(static_cast<std::uint64_t>(seed), kSplitStream));
}

}  // namespace diffuse
