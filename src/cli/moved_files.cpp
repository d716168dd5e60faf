#include "moved_files.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "diffuse/base/log.hpp"
#include "diffuse/data/byte_source.hpp"
#include "manifest.hpp"
#include "run_directory.hpp"

namespace diffuse::cli {
namespace fs = std::filesystem;
namespace {

struct FileKey {
  const char* key;
  const std::string& path;
  const char* in_checkpoint;  ///< its copy there; null for data
};

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

/// `folder` and all above it.
void add_with_parents(std::vector<fs::path>& folders, fs::path folder) {
  for (;; folder = folder.parent_path()) {
    if (std::find(folders.begin(), folders.end(), folder) == folders.end())
      folders.push_back(folder);
    if (folder == folder.root_path() || folder.empty()) return;
  }
}

/// A file with the content `hash` at one of the last parts of `path`, longest first, below one of
/// `folders`.
std::optional<fs::path> find_file(const fs::path& path, const std::vector<fs::path>& folders,
                                  const std::string& hash) {
  const fs::path parts = path.relative_path();
  for (auto first = parts.begin(); first != parts.end(); ++first) {
    fs::path end;
    for (auto part = first; part != parts.end(); ++part) end /= *part;
    for (const fs::path& folder : folders) {
      std::error_code ignored;
      const fs::path candidate = folder / end;
      if (fs::is_regular_file(candidate, ignored) && hash_file(candidate) == hash) return candidate;
    }
  }
  return std::nullopt;
}

}  // namespace

bool is_file_key(const std::string& key) {
  static const std::vector<std::string> keys = {"data.train",  "data.validation", "data.test",
                                                "data.labels", "tokenizer.vocab", "model.file"};
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

Overrides find_moved_files(const fs::path& run_dir, const Config& config, const Overrides& given) {
  // Of several files each has to be named again.
  const std::string train = config.data.train.names.size() == 1 && !config.data.train.from_stdin()
                                ? config.data.train.first()
                                : "";
  const std::vector<FileKey> files = {{"data.train", train, nullptr},
                                      {"data.validation", config.data.validation, nullptr},
                                      {"data.test", config.data.test, nullptr},
                                      {"data.labels", config.data.labels, "labels.txt"},
                                      {"tokenizer.vocab", config.tokenizer.vocab, "vocab.txt"},
                                      {"model.file", config.model.file, "module.pt"}};
  std::vector<fs::path> folders;
  add_with_parents(folders, fs::weakly_canonical(run_dir));
  add_with_parents(folders, fs::current_path());
  const auto hashes = manifest_data_hashes(run_dir / "manifest.json");
  Overrides moved;
  for (const auto& [key, path, in_checkpoint] : files) {
    const bool is_given = std::any_of(given.begin(), given.end(),
                                      [&](const auto& value) { return value.first == key; });
    if (path.empty() || is_there(path) || is_given) continue;
    std::optional<fs::path> found;
    if (in_checkpoint != nullptr) {
      const fs::path copy = fs::absolute(newest_checkpoint(run_dir) / in_checkpoint);
      if (is_there(copy)) found = copy.lexically_normal();
    } else if (const auto hash = hashes.find(key); hash != hashes.end()) {
      found = find_file(path, folders, hash->second);
    }
    if (!found) continue;
    log::info("{}: {} has gone; {} has its content", key, path, found->string());
    moved.emplace_back(key, found->string());
  }
  return moved;
}

}  // namespace diffuse::cli
