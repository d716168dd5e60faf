#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace diffuse {

/// A class's part of a soft label, or, with a share of 1, one of several labels.
struct ClassShare {
  std::int32_t label = 0;  ///< -1: of several labels one that the model lacks
  float share = 0;
};

/// What training wants of a row.
struct RowTarget {
  RowTarget(std::int32_t hard_label) : label(hard_label) {}  // NOLINT: a label is a target

  std::int32_t label;
  float weight = 1;                      ///< in the loss, of at least 0
  std::span<const ClassShare> shares{};  ///< the soft label, 1 together; empty: none
  bool soft_only = false;                ///< the label is only the likeliest of the soft label
  bool several = false;                  ///< `shares` are its labels: none, one or more
};

/// How a row's target is made of its label and its soft label.
struct TargetRule {
  std::int64_t classes = 0;  ///< C; 0: labels alone are wanted
  /// s of (1 - s) * one_hot + s / C, which the label stands for; of several labels each class by
  /// itself has (1 - s) * (0 or 1) + s * its share.
  double label_smoothing = 0;
  double soft_label_weight = 0;  ///< share of the soft label, where there is one beside a label
  std::vector<float> shares{};   ///< [C] of several labels: the part of the rows that has each
};

/// What rows want beside their labels: weights, and soft labels or several labels. Takes no memory
/// for what no row has, else 4 bytes a row for weights, and for the others 8 a row and 8 for each
/// of its classes.
class RowTargets {
 public:
  void append(const RowTarget& target);
  std::size_t size() const { return size_; }
  /// Whether a row has another weight than 1, or a soft label.
  bool weighted() const { return !weights_.empty(); }
  bool soft() const { return !ends_.empty() && !several_; }
  /// Whether rows have any number of labels, which stand here.
  bool several() const { return several_; }

  float weight(std::size_t row) const { return weights_.empty() ? 1 : weights_[row]; }
  std::span<const ClassShare> shares(std::size_t row) const;
  bool soft_only(std::size_t row) const { return !ends_.empty() && soft_only_[row]; }
  /// The row's target as it was appended, with `label`, which is not kept here. Valid until rows
  /// are appended.
  RowTarget at(std::size_t row, std::int32_t label) const;
  /// The row's target distribution, [C], by `rule`; of several labels a target for each class.
  void write_distribution(std::size_t row, std::int32_t label, const TargetRule& rule,
                          std::span<float> to) const;

  /// Multiplies the row's weight.
  void scale_weight(std::size_t row, float factor);
  /// Replaces every class c of the soft labels by to[c].
  void map_labels(std::span<const std::int32_t> to);
  void clear() { *this = {}; }
  std::size_t memory_bytes() const;

 private:
  std::size_t size_ = 0;
  bool several_ = false;
  std::vector<float> weights_{};       // empty: all 1
  std::vector<std::uint64_t> ends_{};  // of each row's shares; empty: there are none
  std::vector<bool> soft_only_{};      // as ends_
  std::vector<ClassShare> shares_{};
};

}  // namespace diffuse
