#include "diffuse/data/text_pieces.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <span>

#include "diffuse/base/error.hpp"

namespace diffuse {
namespace {

/// Of a piece: what stands around a text's own tokens.
std::int64_t added_tokens(const PieceRule& rule) { return rule.special_tokens ? 2 : 0; }

/// Writes the pieces of `text` to `tokens` and where each ends to `ends`, from its start on.
void write_pieces(std::span<const std::int32_t> text, std::int64_t pieces, const PieceRule& rule,
                  std::int32_t* tokens, std::int32_t start, std::int32_t* ends) {
  const std::int64_t specials = added_tokens(rule);
  const auto inner =
      text.subspan(rule.special_tokens ? 1 : 0, text.size() - static_cast<std::size_t>(specials));
  std::int32_t* to = tokens;
  for (std::int64_t i = 0; i < pieces; ++i) {
    const std::int64_t begin = std::ssize(inner) * i / pieces;
    const std::int64_t end = std::ssize(inner) * (i + 1) / pieces;
    if (rule.special_tokens) *to++ = text.front();
    to = std::copy(inner.begin() + begin, inner.begin() + end, to);
    if (rule.special_tokens) *to++ = text.back();
    ends[i] = start + static_cast<std::int32_t>(to - tokens);
  }
}

}  // namespace

std::int64_t PieceRule::piece_count(std::int64_t length) const {
  if (most_tokens <= 0 || length <= most_tokens) return 1;
  const std::int64_t specials = added_tokens(*this);
  const std::int64_t room = std::max<std::int64_t>(most_tokens - specials, 1);
  return (length - specials + room - 1) / room;
}

PieceRule piece_rule(const TokenizerConfig& tokenizer) {
  if (tokenizer.long_texts == LongTexts::cut) return {};
  return {.most_tokens = tokenizer.max_tokens, .special_tokens = tokenizer.special_tokens};
}

std::optional<TextPieces> cut_into_pieces(const PackedRows& texts, const PieceRule& rule) {
  const std::size_t count = texts.labels().size();
  const std::span<const std::int32_t> offsets = texts.offsets();
  std::vector<std::int32_t> counts(count);
  std::int64_t pieces = 0;
  for (std::size_t b = 0; b < count; ++b) {
    counts[b] = static_cast<std::int32_t>(rule.piece_count(offsets[b + 1] - offsets[b]));
    pieces += counts[b];
  }
  if (pieces == static_cast<std::int64_t>(count)) return std::nullopt;
  const std::int64_t tokens =
      std::ssize(texts.tokens()) + added_tokens(rule) * (pieces - static_cast<std::int64_t>(count));
  if (tokens > std::numeric_limits<std::int32_t>::max())
    throw DataError(fmt::format(
        "a batch of {} texts has more than 2^31 - 1 tokens in {} pieces; use a smaller batch size",
        count, pieces));
  const std::size_t classes = count == 0 ? 0 : texts.distributions().size() / count;
  TextPieces cut{.rows = {}, .counts = std::move(counts)};
  cut.rows.resize(static_cast<std::size_t>(tokens), static_cast<std::size_t>(pieces),
                  {.weights = true, .classes = classes, .several = texts.several()});
  cut.rows.offsets()[0] = 0;
  std::size_t piece = 0;
  for (std::size_t b = 0; b < count; ++b) {
    const auto own = static_cast<std::size_t>(cut.counts[b]);
    const std::int32_t start = cut.rows.offsets()[piece];
    write_pieces(texts.tokens().subspan(static_cast<std::size_t>(offsets[b]),
                                        static_cast<std::size_t>(offsets[b + 1] - offsets[b])),
                 cut.counts[b], own > 1 ? rule : PieceRule{}, cut.rows.tokens().data() + start,
                 start, &cut.rows.offsets()[piece + 1]);
    const float weight = texts.weights().empty() ? 1.0F : texts.weights()[b];
    for (const std::size_t end = piece + own; piece < end; ++piece) {
      cut.rows.labels()[piece] = texts.labels()[b];
      cut.rows.weights()[piece] = weight / static_cast<float>(own);
      std::ranges::copy(
          texts.distributions().subspan(b * classes, classes),
          cut.rows.distributions().begin() + static_cast<std::ptrdiff_t>(piece * classes));
    }
  }
  return cut;
}

}  // namespace diffuse
