#include "diffuse/data/summary.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "diffuse/base/log.hpp"
#include "diffuse/base/progress.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/data/text_pieces.hpp"
#include "equal_texts.hpp"

namespace diffuse {
namespace {

// Shares from which on a note is a warning; docs/data.md has them.
constexpr double kManyUnknown = 0.20;   // of the tokens
constexpr double kManyUnread = 0.05;    // of the tokens
constexpr double kManyRepeated = 0.01;  // of the rows

double share(std::int64_t part, std::int64_t all) {
  return all == 0 ? 0 : static_cast<double>(part) / static_cast<double>(all);
}

/// "22 %", "0.3 %", "less than 0.1 %".
std::string percent(double fraction) {
  if (fraction > 0 && fraction < 0.001) return "less than 0.1 %";
  return fmt::format("{:.{}f} %", 100 * fraction, fraction < 0.0995 && fraction > 0 ? 1 : 0);
}

/// "1 row", "1,234 rows".
std::string counted(std::int64_t count, const char* item) {
  return fmt::format("{} {}{}", format_count(count), item, count == 1 ? "" : "s");
}

void add_cut(const PartSummary& part, std::vector<DataNote>& notes) {
  if (part.cut.rows == 0) return;
  notes.push_back(
      {fmt::format("{}: {} of {} texts are longer than tokenizer.max_tokens = {}; {} of their "
                   "tokens are not read{} (tokenizer.max_tokens=0 or "
                   "tokenizer.long_texts=pool reads all)",
                   part.name, format_count(part.cut.rows), format_count(part.file_rows),
                   part.max_tokens, percent(share(part.cut.unread_tokens, part.cut.tokens)),
                   part.ngrams ? " by the network; the n-grams are those of the whole texts" : ""),
       part.unread_share() >= kManyUnread && !part.ngrams});
}

void add_pooled(const PartSummary& part, std::vector<DataNote>& notes) {
  if (part.pooled_rows == 0) return;
  notes.push_back(
      {fmt::format("{}: {} of {} texts are longer than tokenizer.max_tokens = {}: the "
                   "network reads them in {} pieces and answers with the mean of a "
                   "text's logits (tokenizer.long_texts = pool)",
                   part.name, format_count(part.pooled_rows), format_count(part.rows),
                   part.max_tokens, format_count(part.pieces))});
}

void add_unknown(const PartSummary& part, std::vector<DataNote>& notes) {
  if (part.unknown_share() < kManyUnknown) return;  // the start-up table has the smaller shares
  notes.push_back(
      {fmt::format("{}: {} of the tokens are words that are not in the vocabulary; they all look "
                   "the same to the model",
                   part.name, percent(part.unknown_share())),
       true});
}

void add_ambiguous(const PartSummary& part, std::vector<DataNote>& notes) {
  const AmbiguousTexts& found = part.ambiguous;
  if (found.texts == 0) return;
  notes.push_back(
      {fmt::format("{}: {} more than one label ({} of its rows): no model is right on "
                   "all of them",
                   part.name, counted(found.texts, "text") + (found.texts == 1 ? " has" : " have"),
                   format_count(found.rows)),
       share(found.rows, part.file_rows) >= kManyRepeated});
}

}  // namespace

double PartSummary::unknown_share() const { return share(unknown_tokens, tokens); }

double PartSummary::unread_share() const {
  return share(cut.unread_tokens, file_tokens + cut.unread_tokens);
}

PartSummary summarize(const std::string& name, const DatasetView& view, std::int32_t unknown_id,
                      const TokenizerConfig& tokenizer, bool whole) {
  PartSummary part{.name = name,
                   .rows = static_cast<std::int64_t>(view.size()),
                   .max_tokens = tokenizer.max_tokens};
  if (view.data == nullptr) return part;
  const PieceRule rule = piece_rule(tokenizer);
  std::vector<std::int32_t> held;
  for (const std::uint32_t row : view.rows) {
    const auto ids = view.data->tokens(row, held);
    part.tokens += std::ssize(ids);
    part.unknown_tokens += std::count(ids.begin(), ids.end(), unknown_id);
    if (const std::int64_t pieces = rule.piece_count(std::ssize(ids)); pieces > 1) {
      part.pooled_rows += 1;
      part.pieces += pieces;
    }
  }
  if (whole) {
    part.file_rows = static_cast<std::int64_t>(view.data->size());
    part.file_tokens = view.data->token_count();
    part.cut = view.data->cut_texts();
    part.ngrams = view.data->ngrams().size() > 0;
    part.bad_rows = static_cast<std::int64_t>(view.data->skipped_rows());
    part.ambiguous = ambiguous_texts(*view.data);
  }
  return part;
}

std::vector<DataNote> data_notes(const PartSummary& part) {
  std::vector<DataNote> notes;
  add_cut(part, notes);
  add_pooled(part, notes);
  add_unknown(part, notes);
  add_ambiguous(part, notes);
  if (part.training_rows.value_or(0) > 0) {
    const std::string relabelled = part.relabelled_rows == 0
                                       ? ""
                                       : fmt::format(", {} of them with another label there",
                                                     format_count(part.relabelled_rows));
    notes.push_back(
        {fmt::format("{}: {} of {} texts stand in data.train, too{}: what is right on them may be "
                     "remembered",
                     part.name, format_count(*part.training_rows), format_count(part.rows),
                     relabelled),
         share(*part.training_rows, part.rows) >= kManyRepeated});
  }
  return notes;
}

std::vector<DataNote> data_notes(const DataSummary& summary, const Labels& labels) {
  std::vector<DataNote> notes;
  for (const PartSummary* part : {&summary.train, &summary.validation, &summary.test}) {
    const std::vector<DataNote> own = data_notes(*part);
    notes.insert(notes.end(), own.begin(), own.end());
  }
  if (const auto& missing = summary.unvalidated_classes; !missing.empty()) {
    constexpr std::size_t kShown = 5;
    std::vector<std::string> names;
    for (std::size_t i = 0; i < std::min(kShown, missing.size()); ++i)
      names.push_back('"' + printable(labels.name(missing[i])) + '"');
    if (missing.size() > kShown)
      names.push_back(fmt::format("and {} more",
                                  format_count(static_cast<long long>(missing.size() - kShown))));
    notes.push_back({fmt::format("no validation row has the class {}: the checkpoint is chosen as "
                                 "if it did not matter",
                                 join(names, ", ")),
                     true});
  }
  return notes;
}

void tell(const std::vector<DataNote>& notes) {
  for (const DataNote& note : notes) {
    if (note.warning) {
      log::warning("{}", note.text);
    } else {
      log::info("{}", note.text);
    }
  }
}

std::string part_text(const PartSummary& part) {
  std::vector<std::string> unused;
  if (part.bad_rows > 0) {
    unused.push_back(counted(part.bad_rows, "bad row") + " skipped");
  }
  if (part.unknown_tokens > 0) unused.push_back(percent(part.unknown_share()) + " unknown words");
  if (part.cut.rows > 0) {
    unused.push_back(fmt::format("{} cut, {} unread", counted(part.cut.rows, "text"),
                                 percent(part.unread_share())));
  }
  if (part.pooled_rows > 0)
    unused.push_back(
        fmt::format("{} in {}", counted(part.pooled_rows, "text"), counted(part.pieces, "piece")));
  if (part.training_rows.value_or(0) > 0)
    unused.push_back(fmt::format("{} also in train", format_count(*part.training_rows)));
  std::string text = "none";
  if (part.rows > 0) {
    text = counted(part.rows, "row") + ", " + counted(part.tokens, "token");
  }
  if (!unused.empty()) text += fmt::format(" ({})", join(unused, ", "));
  return text;
}

}  // namespace diffuse
