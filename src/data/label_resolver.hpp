#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "diffuse/config/config.hpp"
#include "diffuse/data/records.hpp"
#include "diffuse/data/row_targets.hpp"
#include "diffuse/text/labels.hpp"

namespace diffuse {

/// Turns a row's label into a class index, by names known beforehand or by collecting them.
class LabelResolver {
 public:
  /// Most classes that are to be collected: more means that the wrong column was taken.
  static constexpr std::size_t kMaxCollected = 65536;

  /// Collects: labels get provisional indexes in order of appearance until `finish`.
  LabelResolver() = default;
  /// Only `labels` are allowed. A label that is not a name but a whole number n is the class
  /// n - base if `numbers` is set (the names come from a label file).
  LabelResolver(Labels labels, bool numbers, std::int64_t base)
      : known_(std::move(labels)), numbers_(numbers), base_(base) {}

  /// The index of a label of the row on line `line`, or what is wrong with it in `bad`.
  std::optional<std::int32_t> resolve(const std::string& label, std::uint32_t line, BadRow& bad);

  /// Whether more are: for who knows the file to refuse.
  bool too_many() const { return collected_.size() > kMaxCollected; }

  /// The classes' shares of the soft label, those above 0, in its own order. Returns false, and
  /// what is wrong in `bad`, if something is.
  bool resolve_soft(const Example& example, std::vector<ClassShare>& shares, BadRow& bad);

  /// The labels: those known, or those collected, sorted (by number if all are whole numbers, else
  /// by bytes). `to` gets the final index of every provisional one, and nothing if they were known.
  Labels finish(std::vector<std::int32_t>& to) const;

 private:
  std::string expected() const;

  std::optional<Labels> known_;
  bool numbers_ = false;
  std::int64_t base_ = 0;
  std::vector<std::string> collected_;
  std::unordered_map<std::string, std::int32_t> index_;
  std::uint64_t soft_labels_ = 0;        // resolved so far
  std::vector<std::uint64_t> named_in_;  // the last of them that named each class
};

}  // namespace diffuse
