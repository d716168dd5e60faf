#include "batch_loader.hpp"

#include "diffuse/base/random.hpp"

namespace diffuse {
namespace {

/// A stream of random numbers that must not repeat the sampler's, which are those of the epochs.
constexpr std::uint64_t kPictureStream = 0x7069'6374ULL;

}  // namespace

BatchLoader::BatchLoader(const DatasetView& view, const TrainConfig& config, std::int64_t classes,
                         std::int64_t epoch_rows, const PieceRule& pieces)
    : view_(view),
      rule_{.classes = classes,
            .label_smoothing = config.label_smoothing,
            .soft_label_weight = config.soft_label_weight},
      pieces_(pieces),
      changes_(picture_changes(config)),
      seed_(static_cast<std::uint64_t>(config.seed)),
      stream_(view, config, epoch_rows) {
  view.data->expect_random_reads();
  if (classes == 0 || !view.data->several_labels()) return;
  for (const std::int64_t rows : count_classes(view, classes))
    rule_.shares.push_back(
        static_cast<float>(static_cast<double>(rows) / static_cast<double>(view.size())));
}

BatchLoader::~BatchLoader() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void BatchLoader::seek(std::int64_t epoch, std::int64_t position) {
  stream_.seek(epoch, position);
  note_place(loaded_[current_]);
}

const LoadedUpdate& BatchLoader::next() {
  std::unique_lock lock(mutex_);
  if (!thread_.joinable()) {
    work_ = Work::wanted;
    thread_ = std::thread([this] { serve(); });
  }
  if (work_ == Work::wanted) load_next(lock);
  changed_.wait(lock, [this] { return work_ == Work::none; });
  if (failure_) std::rethrow_exception(failure_);
  current_ = 1 - current_;
  work_ = Work::wanted;
  lock.unlock();
  changed_.notify_all();
  return loaded_[current_];
}

void BatchLoader::serve() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return work_ == Work::wanted || stop_; });
    if (stop_) return;
    load_next(lock);
  }
}

void BatchLoader::load_next(std::unique_lock<std::mutex>& lock) {
  work_ = Work::begun;
  LoadedUpdate& update = loaded_[1 - current_];
  lock.unlock();
  std::exception_ptr failure;
  try {
    load(update);
  } catch (...) {
    failure = std::current_exception();
  }
  lock.lock();
  failure_ = failure;
  work_ = Work::none;
  changed_.notify_all();
}

void BatchLoader::load(LoadedUpdate& update) {
  // A picture comes in another form in each epoch, and in the same one in a run that is resumed.
  const std::uint64_t seed =
      mix_seed(mix_seed(seed_, kPictureStream), static_cast<std::uint64_t>(stream_.epoch()));
  const std::vector<BatchStream::Rows>& batches = stream_.next();
  update.rows.clear();
  update.weight = 0;
  update.sequences = 0;
  update.batches.resize(batches.size());
  for (const BatchStream::Rows& rows : batches) view_.data->prefetch(rows);
  for (std::size_t i = 0; i < batches.size(); ++i) {
    update.rows.insert(update.rows.end(), batches[i].begin(), batches[i].end());
    std::shared_ptr<PackedRows>& packed = update.batches[i];
    // Whoever still reads what was there keeps it.
    if (packed == nullptr || packed.use_count() > 1) packed = std::make_shared<PackedRows>();
    pack_rows(*view_.data, batches[i], *packed, rule_);
    if (changes_.any()) change(*packed, batches[i], seed);
    if (std::optional<TextPieces> cut = cut_into_pieces(*packed, pieces_))
      packed = std::make_shared<PackedRows>(std::move(cut->rows));
    update.sequences += std::ssize(packed->labels());
    if (packed->weights().empty()) update.weight += static_cast<double>(batches[i].size());
    for (const float weight : packed->weights()) update.weight += static_cast<double>(weight);
  }
  note_place(update);
}

void BatchLoader::change(PackedRows& packed, const BatchStream::Rows& rows,
                         std::uint64_t seed) const {
  std::vector<std::uint64_t> seeds(rows.size());
  for (std::size_t b = 0; b < rows.size(); ++b) seeds[b] = mix_seed(seed, rows[b]);
  change_pictures(packed, changes_, seeds);
}

void BatchLoader::note_place(LoadedUpdate& update) {
  update.epoch = stream_.epoch();
  update.position = stream_.position();
  update.epochs_done = stream_.epochs_done();
}

}  // namespace diffuse
