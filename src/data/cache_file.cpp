#include "cache_file.hpp"

#include <algorithm>
#include <limits>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "cache_stream.hpp"

namespace diffuse {
namespace {

using Row = EncodedDataset::Row;

// Read on a machine of the other byte order, the mark differs.
constexpr std::uint64_t kMagic = 0x3154'4144'4646'4944;  // "DIFFDAT1"

struct Counts {
  std::uint64_t magic = kMagic;
  std::uint64_t format = kCacheFormat;
  std::uint64_t rows = 0;
  std::uint64_t tokens = 0;
  std::uint64_t classes = 0;
  std::uint64_t vocab_size = 0;
  std::uint64_t label_bytes = 0;
  std::uint64_t layout_bytes = 0;
  std::uint64_t wide = 0;      // whether ids have upper halves
  std::uint64_t weighted = 0;  // whether rows have weights
  std::uint64_t soft = 0;      // 1: they have soft labels, 2: several labels
  std::uint64_t shares = 0;
  CutTexts cut;
};

/// The sections behind the header, each of one kind; what no row has is empty.
struct Sections {
  std::span<const Row> rows;
  std::span<const std::uint32_t> marks;
  std::span<const std::uint16_t> low;
  std::span<const std::uint16_t> high;
  std::span<const float> weights;
  std::span<const std::uint32_t> share_counts;  // 2 n + soft_only
  std::span<const ClassShare> shares;
};

/// A section of one value, or `values(row)` of them, for each row.
template <class T, class Add>
void put_section(CacheWriter& writer, std::size_t rows, const Add& add) {
  constexpr std::size_t kBlock = std::size_t{1} << 16;
  writer.align();
  std::vector<T> block;
  for (std::size_t row = 0; row < rows; ++row) {
    add(row, block);
    if (block.size() < kBlock && row + 1 < rows) continue;
    writer.put(std::span<const T>(block));
    block.clear();
  }
}

void put_rows(CacheWriter& writer, const EncodedDataset& data) {
  std::uint64_t position = 0;
  put_section<Row>(writer, data.size(), [&](std::size_t row, std::vector<Row>& block) {
    Row& own = block.emplace_back(data.row(row));
    own.position = position & ((std::uint64_t{1} << 40) - 1);
    position += static_cast<std::uint64_t>(own.length);
  });
  put_section<std::uint32_t>(
      writer, data.size(), [&](std::size_t row, auto& block) { block.push_back(data.mark(row)); });
}

/// The lower halves of all ids, or the upper ones.
void put_halves(CacheWriter& writer, const EncodedDataset& data, int shift) {
  std::vector<std::int32_t> held;
  put_section<std::uint16_t>(writer, data.size(), [&](std::size_t row, auto& block) {
    for (const std::int32_t id : data.tokens(row, held))
      block.push_back(static_cast<std::uint16_t>(static_cast<std::uint32_t>(id) >> shift));
  });
}

void put_targets(CacheWriter& writer, const EncodedDataset& data, const Counts& counts) {
  const RowTargets& targets = data.targets();
  put_section<float>(writer, counts.weighted != 0 ? data.size() : 0,
                     [&](std::size_t row, auto& block) { block.push_back(targets.weight(row)); });
  const std::size_t listed = counts.soft != 0 ? data.size() : 0;
  put_section<std::uint32_t>(writer, listed, [&](std::size_t row, auto& block) {
    block.push_back(static_cast<std::uint32_t>(2 * targets.shares(row).size()) +
                    (targets.soft_only(row) ? 1 : 0));
  });
  put_section<ClassShare>(writer, listed, [&](std::size_t row, auto& block) {
    const std::span<const ClassShare> own = targets.shares(row);
    block.insert(block.end(), own.begin(), own.end());
  });
}

template <class T>
void take_section(CacheReader& reader, std::span<const T>& section, std::uint64_t count) {
  reader.align();
  section = reader.take<T>(count);
}

Sections take_sections(CacheReader& reader, const Counts& counts) {
  Sections found;
  take_section(reader, found.rows, counts.rows);
  take_section(reader, found.marks, counts.rows);
  take_section(reader, found.low, counts.tokens);
  take_section(reader, found.high, counts.wide != 0 ? counts.tokens : 0);
  take_section(reader, found.weights, counts.weighted != 0 ? counts.rows : 0);
  take_section(reader, found.share_counts, counts.soft != 0 ? counts.rows : 0);
  take_section(reader, found.shares, counts.shares);
  return found;
}

bool is_amount(float value) { return value >= 0 && value <= std::numeric_limits<float>::max(); }

/// Row `i`'s target; its shares are taken from the front of `shares`.
RowTarget target_of(const Sections& from, std::size_t i, const Counts& counts,
                    std::span<const ClassShare>& shares) {
  RowTarget target(static_cast<std::int32_t>(from.rows[i].label_plus_1) - 1);
  if (target.label >= static_cast<std::int64_t>(counts.classes))
    throw DamagedCache("a label is out of range");
  if (counts.weighted != 0) target.weight = from.weights[i];
  if (!is_amount(target.weight)) throw DamagedCache("a weight is out of range");
  if (counts.soft == 0) return target;
  const std::size_t count = from.share_counts[i] / 2;
  if (count > shares.size()) throw DamagedCache("a soft label is wrong");
  target.shares = shares.first(count);
  target.soft_only = from.share_counts[i] % 2 == 1;
  target.several = counts.soft == 2;
  shares = shares.subspan(count);
  for (const ClassShare& share : target.shares) {
    if (share.label < 0 || share.label >= static_cast<std::int64_t>(counts.classes) ||
        !is_amount(share.share))
      throw DamagedCache("a soft label is wrong");
  }
  return target;
}

/// Checks every row but its ids; returns what it wants.
RowTargets checked_targets(const Sections& from, const Counts& counts) {
  RowTargets targets;
  std::span<const ClassShare> shares = from.shares;
  std::uint64_t position = 0;
  for (std::size_t i = 0; i < from.rows.size(); ++i) {
    const Row& row = from.rows[i];
    if (row.length <= 0 || row.position != position ||
        static_cast<std::uint64_t>(row.length) > counts.tokens - position)
      throw DamagedCache("a row's length is wrong");
    position += static_cast<std::uint64_t>(row.length);
    targets.append(target_of(from, i, counts, shares));
  }
  if (position != counts.tokens) throw DamagedCache("its number of tokens is wrong");
  if (!shares.empty()) throw DamagedCache("a soft label is wrong");
  return targets;
}

void check_ids(const Sections& from, const Counts& counts, const MappedFile& file) {
  constexpr std::size_t kBlock = std::size_t{1} << 24;
  for (std::size_t begin = 0; begin < from.low.size(); begin += kBlock) {
    const std::size_t end = std::min(begin + kBlock, from.low.size());
    for (std::size_t i = begin; i < end; ++i) {
      const std::uint32_t high = from.high.empty() ? 0 : from.high[i];
      if ((high << 16 | from.low[i]) >= counts.vocab_size)
        throw DamagedCache("a token is not in the vocabulary");
    }
    file.release_pages();
  }
}

}  // namespace

void write_cache_file(const std::filesystem::path& path, const CacheContent& header,
                      const EncodedDataset& data) {
  CacheWriter writer(path);
  const RowTargets& targets = data.targets();
  Counts counts;
  counts.rows = data.size();
  counts.tokens = static_cast<std::uint64_t>(data.token_count());
  counts.classes = static_cast<std::uint64_t>(header.classes);
  counts.vocab_size = static_cast<std::uint64_t>(header.vocab_size);
  counts.label_bytes = header.labels.size();
  counts.layout_bytes = header.layout.size();
  counts.wide = data.wide() ? 1 : 0;
  counts.cut = data.cut_texts();
  counts.weighted = targets.weighted() ? 1 : 0;
  counts.soft = targets.several() ? 2 : targets.soft() ? 1 : 0;
  for (std::size_t row = 0; counts.soft != 0 && row < data.size(); ++row)
    counts.shares += targets.shares(row).size();
  writer.put_one(counts);
  for (std::string text : {header.key, header.vocab_hash}) {
    text.resize(kHashDigits, ' ');
    writer.put(text);
  }
  writer.put(header.labels);
  writer.put(header.layout);
  put_rows(writer, data);
  put_halves(writer, data, 0);
  if (data.wide()) put_halves(writer, data, 16);
  put_targets(writer, data, counts);
  writer.finish();
}

CacheContent read_cache_file(const std::filesystem::path& path) {
  std::shared_ptr<const MappedFile> file;
  try {
    file = std::make_shared<MappedFile>(path);
  } catch (const SystemError&) {
    throw DamagedCache("it cannot be read");
  }
  CacheReader reader(file->bytes());
  const auto counts = reader.take_one<Counts>();
  if (counts.magic != kMagic) throw DamagedCache("it is no cache file");
  if (counts.format != kCacheFormat) throw DamagedCache("it is of another format");
  if (counts.rows >= std::numeric_limits<std::uint32_t>::max())
    throw DamagedCache("its number of rows is wrong");
  if (counts.vocab_size > std::numeric_limits<std::int32_t>::max())
    throw DamagedCache("its vocabulary's size is wrong");
  CacheContent content;
  content.key = reader.take_text(kHashDigits);
  content.vocab_hash = reader.take_text(kHashDigits);
  if (content.vocab_hash.front() == ' ') content.vocab_hash.clear();
  content.labels = reader.take_text(counts.label_bytes);
  content.layout = reader.take_text(counts.layout_bytes);
  content.classes = static_cast<std::int64_t>(counts.classes);
  content.vocab_size = static_cast<std::int64_t>(counts.vocab_size);
  const Sections sections = take_sections(reader, counts);
  reader.finish([&file] { file->release_pages(); });
  RowTargets targets = checked_targets(sections, counts);
  check_ids(sections, counts, *file);
  content.data = std::make_unique<EncodedDataset>();
  content.data->map_rows({.file = file,
                          .rows = sections.rows,
                          .marks = sections.marks.data(),
                          .low = sections.low.data(),
                          .high = sections.high.empty() ? nullptr : sections.high.data(),
                          .tokens = static_cast<std::int64_t>(counts.tokens)},
                         std::move(targets));
  content.data->set_cut_texts(counts.cut);
  return content;
}

}  // namespace diffuse
