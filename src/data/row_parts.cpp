#include "diffuse/data/row_parts.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "diffuse/base/error.hpp"
#include "diffuse/base/hash.hpp"
#include "diffuse/base/progress.hpp"
#include "diffuse/base/random.hpp"
#include "encode_file.hpp"
#include "equal_texts.hpp"
#include "label_resolver.hpp"
#include "row_blocks.hpp"
#include "split.hpp"
#include "text/plain_words.hpp"
#include "training_parts.hpp"

namespace diffuse {
namespace {

constexpr std::uint64_t kTestStream = 0x74657374;    // "test": apart from the validation split's
constexpr std::uint64_t kFoldStream = 0x666f6c6473;  // "folds"

/// Of a text's words; of a text without any, of its bytes.
std::uint64_t words_key(std::string_view text, std::string& words) {
  words.clear();
  PlainWordSplitter splitter(/*lowercase=*/true, [&words](std::string_view word) {
    words += word;
    words += ' ';
  });
  splitter.split(text);
  return hash64(words.empty() ? text : std::string_view(words));
}

/// Rows of one text, all of them `among` those that are dealt.
struct TextGroup {
  std::int32_t label = 0;  // of its first row
  std::vector<std::uint32_t> rows{};
};

std::vector<TextGroup> text_groups(const LabelledRows& rows, const std::vector<bool>& among) {
  std::vector<TextGroup> groups;
  const std::vector<std::uint32_t> order = rows_by_text(rows.texts);
  std::uint64_t last = 0;
  for (const std::uint32_t row : order) {
    if (!among[row]) continue;
    if (groups.empty() || rows.texts[row] != last) groups.push_back({rows.labels[row]});
    groups.back().rows.push_back(row);
    last = rows.texts[row];
  }
  // By the first row of each, so that nothing depends on the hashes.
  std::ranges::sort(groups, {}, [](const TextGroup& group) { return group.rows.front(); });
  return groups;
}

LabelResolver training_labels(const DataConfig& data) {
  if (data.labels.empty()) return {};
  return {Labels::read(data.labels), true, data.label_base};
}

/// Calls `take` for each block of usable rows of `data.train`.
template <class Take>
void read_blocks(const DataConfig& data, LabelResolver& resolver, const Take& take) {
  const std::vector<std::string> files = find_files(data.train, "data.train");
  for (const std::string& path : files) check_data_file(path, "data.train");
  check_read_again(data.train);
  FileOptions file{files.front(), "data.train", data, data.max_rows};
  file.more.assign(files.begin() + 1, files.end());
  file.quiet = true;
  RowBlocks blocks(file, resolver);
  RowBlock block;
  for (blocks.read(block); !block.empty(); blocks.read(block)) take(block);
  FileFindings unused;
  blocks.finish(unused);
}

}  // namespace

std::vector<bool> LabelledRows::records(const std::vector<bool>& chosen) const {
  if (places.empty()) return chosen;
  std::vector<bool> records(places.back() + std::size_t{1});
  for (std::size_t i = 0; i < chosen.size(); ++i)
    if (chosen[i]) records[places[i]] = true;
  return records;
}

LabelledRows read_labelled_rows(const DataConfig& data) {
  LabelledRows rows;
  std::string words;
  LabelResolver resolver = training_labels(data);
  read_blocks(data, resolver, [&](const RowBlock& block) {
    for (const std::string_view text : block.texts()) rows.texts.push_back(words_key(text, words));
    rows.places.insert(rows.places.end(), block.places.begin(), block.places.end());
    rows.labels.insert(rows.labels.end(), block.labels.begin(), block.labels.end());
  });
  std::vector<std::int32_t> to;
  rows.names = resolver.finish(to);
  check_reserved_names(rows.names, data.train.text());
  if (!to.empty())
    for (std::int32_t& label : rows.labels)
      if (label >= 0) label = to[static_cast<std::size_t>(label)];
  return rows;
}

void visit_rows(
    const DataConfig& data,
    const std::function<void(std::size_t place, std::string_view text, double weight)>& visit) {
  std::size_t place = 0;
  LabelResolver resolver = training_labels(data);
  read_blocks(data, resolver, [&](const RowBlock& block) {
    const std::vector<std::string_view> texts = block.texts();
    for (std::size_t i = 0; i < texts.size(); ++i)
      visit(place++, texts[i], static_cast<double>(block.targets.at(i, block.labels[i]).weight));
  });
}

std::vector<bool> choose_test_rows(const LabelledRows& rows, double fraction, std::int64_t seed) {
  std::vector<bool> test = choose_stratified(
      rows.labels, rows.texts, fraction, mix_seed(static_cast<std::uint64_t>(seed), kTestStream));
  if (std::ranges::find(test, true) == test.end())
    throw DataError(fmt::format(
        "data.test_fraction = {} of {} rows leaves no row for the test: every class keeps one for "
        "training, and equal texts stay together; expected more rows, or data.test_fraction = 0",
        fraction, format_count(std::ssize(rows.labels))));
  return test;
}

RowParts split_off_test(const LabelledRows& rows, double fraction, std::int64_t seed) {
  std::vector<bool> test = choose_test_rows(rows, fraction, seed);
  RowParts parts{.train = {}, .test = rows.records(test), .names = rows.names};
  test.flip();
  parts.train = rows.records(test);
  return parts;
}

std::vector<std::int64_t> assign_folds(const LabelledRows& rows, const std::vector<bool>& among,
                                       std::int64_t folds, std::int64_t seed) {
  const std::vector<TextGroup> groups = text_groups(rows, among);
  if (std::ssize(groups) < folds)
    throw DataError(fmt::format(
        "{} different texts cannot make {} folds; expected at least as many texts as folds",
        format_count(std::ssize(groups)), folds));
  std::map<std::int32_t, std::vector<std::uint32_t>> classes;  // groups of each
  for (std::size_t i = 0; i < groups.size(); ++i)
    classes[groups[i].label].push_back(static_cast<std::uint32_t>(i));
  const std::uint64_t stream = mix_seed(static_cast<std::uint64_t>(seed), kFoldStream);
  const auto count = static_cast<std::size_t>(folds);
  std::vector<std::size_t> all(count);  // rows of each fold
  std::vector<std::int64_t> fold_of(rows.size(), -1);
  for (auto& [label, own] : classes) {
    Random random(mix_seed(stream, static_cast<std::uint64_t>(label)));
    shuffle(own, random);
    // The long ones first, so that the short ones even them out.
    std::ranges::stable_sort(own, [&groups](std::uint32_t a, std::uint32_t b) {
      return groups[a].rows.size() > groups[b].rows.size();
    });
    std::vector<std::size_t> of_class(count);
    for (const std::uint32_t index : own) {
      const std::vector<std::uint32_t>& members = groups[index].rows;
      std::size_t best = 0;
      for (std::size_t fold = 1; fold < count; ++fold)
        if (std::pair(of_class[fold], all[fold]) < std::pair(of_class[best], all[best]))
          best = fold;
      of_class[best] += members.size();
      all[best] += members.size();
      for (const std::uint32_t row : members) fold_of[row] = static_cast<std::int64_t>(best);
    }
  }
  return fold_of;
}

}  // namespace diffuse
