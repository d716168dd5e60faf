#include "diffuse/data/packed_rows.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <limits>

#include "diffuse/base/error.hpp"

namespace diffuse {

PackedRows::PackedRows(std::span<const std::int32_t> tokens, std::span<const std::int32_t> offsets,
                       std::span<const std::int64_t> labels) {
  if (offsets.size() != labels.size() + 1)
    throw Error(fmt::format("A batch of {} labels has {} offsets; expected one more.",
                            labels.size(), offsets.size()));
  resize(tokens.size(), labels.size());
  std::copy(tokens.begin(), tokens.end(), this->tokens().begin());
  std::copy(offsets.begin(), offsets.end(), this->offsets().begin());
  std::copy(labels.begin(), labels.end(), this->labels().begin());
}

void PackedRows::resize(std::size_t token_count, std::size_t sequences, const TargetKinds& kinds) {
  token_count_ = token_count;
  sequences_ = sequences;
  kinds_ = kinds;
  const std::size_t bytes = size();
  // Batches differ: what grew once will grow again.
  if (memory_.size() < bytes) memory_.resize(memory_.empty() ? bytes : bytes + bytes / 4);
}

void pack_rows(const EncodedDataset& data, std::span<const std::uint32_t> rows, PackedRows& packed,
               const TargetRule& rule) {
  std::int64_t total = 0;
  for (const std::uint32_t row : rows) total += data.length(row);
  if (total > std::numeric_limits<std::int32_t>::max()) {
    throw DataError(
        fmt::format("a batch of {} rows has more than 2^31 - 1 tokens; use a smaller batch size or "
                    "tokenizer.max_tokens",
                    rows.size()));
  }
  const auto classes = static_cast<std::size_t>(rule.classes);
  packed.resize(static_cast<std::size_t>(total), rows.size(),
                {.weights = classes > 0 && data.targets().weighted(),
                 .classes = data.targets().soft() || data.several_labels() ? classes : 0,
                 .several = classes > 0 && data.several_labels()});
  std::int32_t to = 0;
  packed.offsets()[0] = 0;
  for (std::size_t b = 0; b < rows.size(); ++b) {
    data.copy_tokens(rows[b], packed.tokens().data() + to);
    to += data.length(rows[b]);
    packed.offsets()[b + 1] = to;
    // Where nobody asks for targets, as in a timing, a row without a label has any.
    packed.labels()[b] =
        data.several_labels() ? std::max(data.label(rows[b]), 0) : data.label(rows[b]);
    if (!packed.weights().empty()) packed.weights()[b] = data.targets().weight(rows[b]);
    if (!packed.distributions().empty())
      data.targets().write_distribution(rows[b], data.label(rows[b]), rule,
                                        packed.distributions().subspan(b * classes, classes));
  }
}

PackedRows pack_rows(const EncodedDataset& data, std::span<const std::uint32_t> rows) {
  PackedRows packed;
  pack_rows(data, rows, packed);
  return packed;
}

}  // namespace diffuse
