#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "diffuse/data/dataset.hpp"

namespace diffuse {

/// Sequences one behind the other, no padding, with their labels, in one piece of memory that goes
/// to a device in one copy: sequence b is tokens[offsets[b]] .. tokens[offsets[b + 1] - 1].
class PackedRows {
 public:
  PackedRows() { resize(0, 0); }
  /// Copies: `offsets` has one element more than `labels`.
  PackedRows(std::span<const std::int32_t> tokens, std::span<const std::int32_t> offsets,
             std::span<const std::int64_t> labels);

  /// Makes room for other sequences in the same memory, which only grows. What is in it then is
  /// for the caller to write.
  void resize(std::size_t token_count, std::size_t sequences);

  std::span<std::int64_t> labels() { return {at<std::int64_t>(0), sequences_}; }  ///< [B]
  std::span<std::int32_t> offsets() { return {at<std::int32_t>(offsets_at()), sequences_ + 1}; }
  std::span<std::int32_t> tokens() { return {at<std::int32_t>(tokens_at()), token_count_}; }
  std::span<const std::int64_t> labels() const { return mutable_self().labels(); }
  std::span<const std::int32_t> offsets() const { return mutable_self().offsets(); }  ///< [B + 1]
  std::span<const std::int32_t> tokens() const { return mutable_self().tokens(); }    ///< [N]

  /// Labels, offsets and tokens, one behind the other.
  std::span<const std::byte> bytes() const {
    return std::span(memory_).first(tokens_at() + token_count_ * sizeof(std::int32_t));
  }
  std::size_t offsets_at() const { return sequences_ * sizeof(std::int64_t); }  ///< in bytes
  std::size_t tokens_at() const { return offsets_at() + (sequences_ + 1) * sizeof(std::int32_t); }

 private:
  template <class T>
  T* at(std::size_t place) {
    return reinterpret_cast<T*>(memory_.data() + place);
  }
  PackedRows& mutable_self() const { return const_cast<PackedRows&>(*this); }

  std::vector<std::byte> memory_;
  std::size_t token_count_ = 0;
  std::size_t sequences_ = 0;
};

/// Packs `rows` of `data` in the given order into `packed`. No row may be empty. Throws DataError
/// if there are more than 2^31 - 1 tokens.
void pack_rows(const EncodedDataset& data, std::span<const std::uint32_t> rows, PackedRows& packed);
PackedRows pack_rows(const EncodedDataset& data, std::span<const std::uint32_t> rows);

}  // namespace diffuse
