#include "diffuse/data/row_targets.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "diffuse/base/error.hpp"

namespace diffuse {

void RowTargets::append(const RowTarget& target) {
  if (target.weight != 1 && weights_.empty()) weights_.assign(size_, 1);
  if (target.weight != 1 || !weights_.empty()) weights_.push_back(target.weight);
  const bool listed = !target.shares.empty() || target.several;
  several_ = several_ || target.several;
  if (listed && ends_.empty()) {
    ends_.assign(size_, 0);
    soft_only_.assign(size_, false);
  }
  if (listed || !ends_.empty()) {
    shares_.insert(shares_.end(), target.shares.begin(), target.shares.end());
    ends_.push_back(shares_.size());
    soft_only_.push_back(target.soft_only);
  }
  ++size_;
}

std::span<const ClassShare> RowTargets::shares(std::size_t row) const {
  if (ends_.empty()) return {};
  const std::size_t begin = row == 0 ? 0 : ends_[row - 1];
  return std::span(shares_).subspan(begin, ends_[row] - begin);
}

RowTarget RowTargets::at(std::size_t row, std::int32_t label) const {
  RowTarget target(label);
  target.weight = weight(row);
  target.shares = shares(row);
  target.soft_only = soft_only(row);
  target.several = several_;
  return target;
}

void RowTargets::write_distribution(std::size_t row, std::int32_t label, const TargetRule& rule,
                                    std::span<float> to) const {
  const std::span<const ClassShare> own = shares(row);
  if (several_) {
    const auto smoothing = static_cast<float>(rule.label_smoothing);
    for (std::size_t c = 0; c < to.size(); ++c) to[c] = smoothing * rule.shares[c];
    for (const ClassShare& share : own)
      if (share.label >= 0) to[static_cast<std::size_t>(share.label)] += 1 - smoothing;
    return;
  }
  const double soft = own.empty() ? 0 : soft_only(row) ? 1 : rule.soft_label_weight;
  const double smoothing = rule.label_smoothing;
  std::ranges::fill(to,
                    static_cast<float>((1 - soft) * smoothing / static_cast<double>(rule.classes)));
  to[static_cast<std::size_t>(label)] += static_cast<float>((1 - soft) * (1 - smoothing));
  for (const ClassShare& share : own)
    to[static_cast<std::size_t>(share.label)] += static_cast<float>(soft * double{share.share});
}

void RowTargets::scale_weight(std::size_t row, float factor) {
  if (factor == 1) return;
  if (weights_.empty()) weights_.assign(size_, 1);
  weights_[row] *= factor;
}

void RowTargets::map_labels(std::span<const std::int32_t> to) {
  for (ClassShare& share : shares_) {
    if (share.label < 0) continue;
    if (static_cast<std::size_t>(share.label) >= to.size())
      throw DataError(
          fmt::format("label number {} has no place among {} labels", share.label, to.size()));
    share.label = to[static_cast<std::size_t>(share.label)];
  }
}

std::size_t RowTargets::memory_bytes() const {
  return weights_.capacity() * sizeof(weights_[0]) + ends_.capacity() * sizeof(ends_[0]) +
         soft_only_.capacity() / 8 + shares_.capacity() * sizeof(shares_[0]);
}

}  // namespace diffuse
