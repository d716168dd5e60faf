#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "diffuse/data/dataset.hpp"

namespace diffuse {

/// Sequences one behind the other, no padding, with what training wants of them, in one piece of
/// memory that goes to a device in one copy: sequence b is
/// tokens[offsets[b]] .. tokens[offsets[b + 1] - 1].
class PackedRows {
 public:
  PackedRows() { resize(0, 0); }
  /// Copies: `offsets` has one element more than `labels`.
  PackedRows(std::span<const std::int32_t> tokens, std::span<const std::int32_t> offsets,
             std::span<const std::int64_t> labels);

  /// Which of a sequence's targets there are beside the label.
  struct TargetKinds {
    bool weights = false;
    std::size_t classes = 0;  ///< C of the distributions; 0: none
    /// The distributions are targets of each class by itself, from 0 to 1: of several labels.
    bool several = false;
  };
  /// Makes room for other sequences in the same memory, which only grows. What is in it then is
  /// for the caller to write.
  void resize(std::size_t token_count, std::size_t sequences, const TargetKinds& kinds);
  void resize(std::size_t token_count, std::size_t sequences) {
    resize(token_count, sequences, {});
  }

  std::span<std::int64_t> labels() { return {at<std::int64_t>(0), sequences_}; }  ///< [B]
  std::span<std::int32_t> offsets() { return {at<std::int32_t>(offsets_at()), sequences_ + 1}; }
  std::span<std::int32_t> tokens() { return {at<std::int32_t>(tokens_at()), token_count_}; }
  /// [B] of the loss; empty: all 1
  std::span<float> weights() { return {at<float>(weights_at()), kinds_.weights ? sequences_ : 0}; }
  /// [B, C], in the labels' place; empty: the labels are the targets
  std::span<float> distributions() {
    return {at<float>(distributions_at()), sequences_ * kinds_.classes};
  }
  std::span<const std::int64_t> labels() const { return mutable_self().labels(); }
  std::span<const std::int32_t> offsets() const { return mutable_self().offsets(); }  ///< [B + 1]
  std::span<const std::int32_t> tokens() const { return mutable_self().tokens(); }    ///< [N]

  std::span<const float> weights() const { return mutable_self().weights(); }
  std::span<const float> distributions() const { return mutable_self().distributions(); }

  bool several() const { return kinds_.several; }

  /// Labels, offsets, tokens, weights and distributions, one behind the other.
  std::span<const std::byte> bytes() const { return std::span(memory_).first(size()); }
  std::size_t offsets_at() const { return sequences_ * sizeof(std::int64_t); }  ///< in bytes
  std::size_t tokens_at() const { return offsets_at() + (sequences_ + 1) * sizeof(std::int32_t); }
  std::size_t weights_at() const { return tokens_at() + token_count_ * sizeof(std::int32_t); }
  std::size_t distributions_at() const {
    return weights_at() + (kinds_.weights ? sequences_ * sizeof(float) : 0);
  }

 private:
  template <class T>
  T* at(std::size_t place) {
    return reinterpret_cast<T*>(memory_.data() + place);
  }
  std::size_t size() const {
    return distributions_at() + sequences_ * kinds_.classes * sizeof(float);
  }
  PackedRows& mutable_self() const { return const_cast<PackedRows&>(*this); }

  std::vector<std::byte> memory_;
  std::size_t token_count_ = 0;
  std::size_t sequences_ = 0;
  TargetKinds kinds_{};
};

/// Packs `rows` of `data` in the given order into `packed`. No row may be empty. With
/// `rule.classes` also the rows' weights, where any of the data set has one, and distributions by
/// `rule`, where any has a soft label or several labels. Throws DataError if there are more than
/// 2^31 - 1 tokens.
void pack_rows(const EncodedDataset& data, std::span<const std::uint32_t> rows, PackedRows& packed,
               const TargetRule& rule = {});
PackedRows pack_rows(const EncodedDataset& data, std::span<const std::uint32_t> rows);

}  // namespace diffuse
