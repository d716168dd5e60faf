#include "cache_file.hpp"

#include <algorithm>
#include <limits>
#include <span>
#include <vector>

#include "cache_stream.hpp"

namespace diffuse {
namespace {

constexpr std::size_t kBlockRows = 1024;
constexpr std::size_t kBlockTokens = std::size_t{1} << 18;
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
  std::uint64_t weighted = 0;  // whether rows have weights
  std::uint64_t soft = 0;      // 1: they have soft labels, 2: several labels
  CutTexts cut;
};

struct BlockHead {
  std::uint64_t rows = 0;
  std::uint64_t tokens = 0;
  std::uint64_t shares = 0;
};

struct Block {
  std::vector<std::int32_t> lengths;
  std::vector<std::int32_t> labels;
  std::vector<std::uint32_t> lines;
  std::vector<std::uint32_t> marks;
  std::vector<std::int32_t> tokens;
  std::vector<float> weights;               // where rows have weights
  std::vector<std::uint32_t> share_counts;  // where they have soft labels: 2 n + soft_only
  std::vector<ClassShare> shares;

  void clear() {
    lengths.clear();
    labels.clear();
    lines.clear();
    marks.clear();
    tokens.clear();
    weights.clear();
    share_counts.clear();
    shares.clear();
  }
};

void write_block(CacheWriter& writer, Block& block) {
  if (block.lengths.empty()) return;
  writer.put_one(BlockHead{block.lengths.size(), block.tokens.size(), block.shares.size()});
  writer.put(std::span<const std::int32_t>(block.lengths));
  writer.put(std::span<const std::int32_t>(block.labels));
  writer.put(std::span<const std::uint32_t>(block.lines));
  writer.put(std::span<const std::uint32_t>(block.marks));
  writer.put(std::span<const std::int32_t>(block.tokens));
  writer.put(std::span<const float>(block.weights));
  writer.put(std::span<const std::uint32_t>(block.share_counts));
  writer.put(std::span<const ClassShare>(block.shares));
  block.clear();
}

bool is_amount(float value) { return value >= 0 && value <= std::numeric_limits<float>::max(); }

/// Row `i`'s target; its shares are taken from the front of `shares`.
RowTarget target_of(const Block& block, std::size_t i, const Counts& counts,
                    std::span<const ClassShare>& shares) {
  RowTarget target(block.labels[i]);
  if (target.label < -1 || target.label >= static_cast<std::int64_t>(counts.classes)) {
    throw DamagedCache("a label is out of range");
  }
  if (counts.weighted != 0) target.weight = block.weights[i];
  if (!is_amount(target.weight)) throw DamagedCache("a weight is out of range");
  if (counts.soft == 0) return target;
  const std::size_t count = block.share_counts[i] / 2;
  if (count > shares.size()) throw DamagedCache("a soft label is wrong");
  target.shares = shares.first(count);
  target.soft_only = block.share_counts[i] % 2 == 1;
  target.several = counts.soft == 2;
  shares = shares.subspan(count);
  for (const ClassShare& share : target.shares) {
    if (share.label < 0 || share.label >= static_cast<std::int64_t>(counts.classes) ||
        !is_amount(share.share))
      throw DamagedCache("a soft label is wrong");
  }
  return target;
}

void append_block(const Block& block, const Counts& counts, EncodedDataset& data) {
  std::span<const std::int32_t> rest(block.tokens);
  std::span<const ClassShare> shares(block.shares);
  for (const std::int32_t id : rest) {
    if (id < 0 || static_cast<std::uint64_t>(id) >= counts.vocab_size) {
      throw DamagedCache("a token is not in the vocabulary");
    }
  }
  for (std::size_t i = 0; i < block.lengths.size(); ++i) {
    const auto length = static_cast<std::size_t>(std::max(block.lengths[i], 0));
    if (length == 0 || length > rest.size()) throw DamagedCache("a row's length is wrong");
    data.append(rest.first(length), target_of(block, i, counts, shares), block.lines[i],
                block.marks[i]);
    rest = rest.subspan(length);
  }
  if (!rest.empty()) throw DamagedCache("a row's length is wrong");
  if (!shares.empty()) throw DamagedCache("a soft label is wrong");
}

}  // namespace

void write_cache_file(const std::filesystem::path& path, const CacheContent& header,
                      const EncodedDataset& data) {
  CacheWriter writer(path);
  Counts counts;
  counts.rows = data.size();
  counts.tokens = static_cast<std::uint64_t>(data.token_count());
  counts.classes = static_cast<std::uint64_t>(header.classes);
  counts.vocab_size = static_cast<std::uint64_t>(header.vocab_size);
  counts.label_bytes = header.labels.size();
  counts.cut = data.cut_texts();
  counts.layout_bytes = header.layout.size();
  const RowTargets& targets = data.targets();
  counts.weighted = targets.weighted() ? 1 : 0;
  counts.soft = targets.several() ? 2 : targets.soft() ? 1 : 0;
  writer.put_one(counts);
  for (std::string text : {header.key, header.vocab_hash}) {
    text.resize(kHashDigits, ' ');
    writer.put(text);
  }
  writer.put(header.labels);
  writer.put(header.layout);
  Block block;
  for (std::size_t i = 0; i < data.size(); ++i) {
    block.lengths.push_back(data.length(i));
    block.labels.push_back(data.label(i));
    block.lines.push_back(data.line(i));
    block.marks.push_back(data.mark(i));
    if (targets.weighted()) block.weights.push_back(targets.weight(i));
    if (counts.soft != 0) {
      const std::span<const ClassShare> shares = targets.shares(i);
      block.share_counts.push_back(static_cast<std::uint32_t>(2 * shares.size()) +
                                   (targets.soft_only(i) ? 1 : 0));
      block.shares.insert(block.shares.end(), shares.begin(), shares.end());
    }
    const std::size_t before = block.tokens.size();
    block.tokens.resize(before + static_cast<std::size_t>(data.length(i)));
    data.copy_tokens(i, block.tokens.data() + before);
    if (block.lengths.size() >= kBlockRows || block.tokens.size() >= kBlockTokens) {
      write_block(writer, block);
    }
  }
  write_block(writer, block);
  writer.finish();
}

CacheContent read_cache_file(const std::filesystem::path& path) {
  CacheReader reader(path);
  const auto counts = reader.get_one<Counts>();
  if (counts.magic != kMagic) throw DamagedCache("it is no cache file");
  if (counts.format != kCacheFormat) throw DamagedCache("it is of another format");
  CacheContent content;
  reader.get(content.key, kHashDigits);
  reader.get(content.vocab_hash, kHashDigits);
  if (content.vocab_hash.front() == ' ') content.vocab_hash.clear();
  reader.get(content.labels, counts.label_bytes);
  reader.get(content.layout, counts.layout_bytes);
  content.classes = static_cast<std::int64_t>(counts.classes);
  content.vocab_size = static_cast<std::int64_t>(counts.vocab_size);
  content.data = std::make_unique<EncodedDataset>();
  content.data->set_cut_texts(counts.cut);
  Block block;
  while (content.data->size() < counts.rows) {
    const auto head = reader.get_one<BlockHead>();
    if (head.rows == 0 || head.rows > counts.rows - content.data->size()) {
      throw DamagedCache("its number of rows is wrong");
    }
    reader.get(block.lengths, head.rows);
    reader.get(block.labels, head.rows);
    reader.get(block.lines, head.rows);
    reader.get(block.marks, head.rows);
    reader.get(block.tokens, head.tokens);
    reader.get(block.weights, counts.weighted != 0 ? head.rows : 0);
    reader.get(block.share_counts, counts.soft != 0 ? head.rows : 0);
    reader.get(block.shares, head.shares);
    append_block(block, counts, *content.data);
  }
  reader.finish();
  if (static_cast<std::uint64_t>(content.data->token_count()) != counts.tokens) {
    throw DamagedCache("its number of tokens is wrong");
  }
  return content;
}

}  // namespace diffuse
