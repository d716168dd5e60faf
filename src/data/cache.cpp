#include "cache.hpp"

#include <fmt/core.h>
#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <string_view>
#include <system_error>
#include <utility>

#include "cache_file.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/base/files.hpp"
#include "diffuse/base/hash.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/data/byte_source.hpp"

namespace diffuse {
namespace {

constexpr const char* kDataName = "encoded.bin";
constexpr const char* kVocabName = "vocab.txt";

std::filesystem::path default_folder() {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::filesystem::path(value == nullptr ? "" : value);
  };
  const auto cache = variable("XDG_CACHE_HOME");
  if (cache.is_absolute()) return cache / "diffuse";  // the specification: ignore a relative one
  const auto home = variable("HOME");
  return home.empty() ? std::filesystem::path() : home / ".cache" / "diffuse";
}

std::string hash_text(std::string_view text) {
  Hasher hasher;
  hasher.update(text);
  return hasher.hex();
}

/// Of the program that runs: two builds of one commit, changed or not, may read and encode
/// otherwise.
const std::string& program_hash() {
  static const std::string hash = hash_file("/proc/self/exe");
  return hash;
}

/// Of "PID-N", the end of a temporary folder's name (FolderWriter).
bool is_of_gone_process(std::string_view name) {
  int process = 0;
  const char* const end = name.data() + name.size();
  const auto [stop, error] = std::from_chars(name.data(), end, process);
  if (error != std::errc() || stop == end || *stop != '-' || process <= 0) return false;
  return ::kill(process, 0) != 0 && errno == ESRCH;
}

/// Another machine may write into a shared folder: its processes are none of ours.
bool is_written_no_more(const std::filesystem::path& folder) {
  namespace fs = std::filesystem;
  std::error_code problem;
  fs::file_time_type newest = fs::last_write_time(folder, problem);
  if (problem) return false;
  fs::directory_iterator file(folder, problem);
  while (!problem && file != fs::directory_iterator()) {
    newest = std::max(newest, file->last_write_time(problem));
    if (!problem) file.increment(problem);
  }
  return !problem && fs::file_time_type::clock::now() - newest > std::chrono::hours(1);
}

/// Removes what processes that were killed have left of the entry `key`.
void remove_leftovers(const std::filesystem::path& folder, const std::string& key) {
  namespace fs = std::filesystem;
  const std::string begin = fmt::format(".{}.tmp-", key);
  std::vector<fs::path> left;
  std::error_code problem;
  fs::directory_iterator entry(folder, problem);
  while (!problem && entry != fs::directory_iterator()) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with(begin) && is_of_gone_process(std::string_view(name).substr(begin.size())))
      left.push_back(entry->path());
    entry.increment(problem);
  }
  for (const fs::path& path : left)
    if (is_written_no_more(path)) fs::remove_all(path, problem);
}

Labels read_labels(const std::string& text, std::int64_t classes) {
  std::vector<std::string> names;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    if (end == std::string::npos) throw DamagedCache("a class name has no end");
    names.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  if (static_cast<std::int64_t>(names.size()) != classes) {
    throw DamagedCache("its number of classes is wrong");
  }
  return Labels(std::move(names));
}

}  // namespace

std::filesystem::path cache_folder(const DataConfig& data) {
  if (!data.cache) return {};
  return data.cache_dir.empty() ? default_folder() : std::filesystem::path(data.cache_dir);
}

EncodedCache::EncodedCache(const DataConfig& data, bool with_ngrams) {
  if (!data.cache || with_ngrams) return;
  folder_ = cache_folder(data);
  if (folder_.empty()) {
    log::warning("no cache of encoded data: neither data.cache_dir nor HOME is set");
  }
}

std::optional<CachedFile> EncodedCache::find(const std::string& key,
                                             const std::string& name) const {
  std::error_code ignored;
  if (!enabled() || !std::filesystem::exists(entry(key), ignored)) return std::nullopt;
  try {
    CacheContent content = read_cache_file(entry(key) / kDataName);
    if (content.key != key) throw DamagedCache("it belongs to other data");
    CachedFile file;
    if (!content.vocab_hash.empty()) {
      file.vocab = entry(key) / kVocabName;
      if (hash_text(read_file(file.vocab)) != content.vocab_hash) {
        throw DamagedCache("its vocabulary is damaged");
      }
    }
    file.labels = read_labels(content.labels, content.classes);
    file.layout = parse_data_facts(content.layout, "its columns").layout;
    file.vocab_size = content.vocab_size;
    file.data = std::move(content.data);
    return file;
  } catch (const DamagedCache& error) {
    log::warning("{}: the cached copy {} is not used and made anew: {}", name, entry(key).string(),
                 error.what());
  } catch (const Error& error) {
    log::warning("{}: the cached copy {} is not used and made anew: {}", name, entry(key).string(),
                 error.what());
  }
  return std::nullopt;
}

void EncodedCache::store(const std::string& key, const std::string& name,
                         const EncodedDataset& data, const Labels& labels, std::int64_t vocab_size,
                         std::string_view vocab_text, const RecordLayout& layout) const {
  if (!enabled()) return;
  try {
    std::filesystem::create_directories(folder_);
    remove_leftovers(folder_, key);
    FolderWriter writer(entry(key));
    CacheContent header;
    header.key = key;
    header.labels = labels.text();
    header.classes = labels.size();
    header.layout = data_facts_json({layout, {}});
    header.vocab_size = vocab_size;
    if (!vocab_text.empty()) {
      header.vocab_hash = hash_text(vocab_text);
      write_file_atomically(writer.folder() / kVocabName, vocab_text);
    }
    write_cache_file(writer.folder() / kDataName, header, data);
    writer.publish();
  } catch (const SystemError& error) {
    log::warning("{}: not kept in the cache: {}", name, error.what());
  } catch (const std::filesystem::filesystem_error& error) {
    log::warning("{}: not kept in the cache: {}", name, error.what());
  }
}

std::string cache_key(const std::vector<std::string>& parts) {
  Hasher hasher;
  const auto add = [&hasher](std::string_view part) {
    hasher.update(fmt::format("{}:", part.size()));
    hasher.update(part);
  };
  add(fmt::format("diffuse {} format {}", program_hash(), kCacheFormat));
  for (const std::string& part : parts) add(part);
  return hasher.hex();
}

}  // namespace diffuse
