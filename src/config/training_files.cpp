#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "diffuse/base/text_util.hpp"
#include "diffuse/config/load.hpp"
#include "faults.hpp"
#include "training_files.hpp"

namespace diffuse {
namespace {

namespace fs = std::filesystem;

/// How to get the file `path` where we know that, else how to go without it.
std::string remedy(std::string_view key, const fs::path& path) {
  const std::string fetched = public_data_set(path);
  if (fetched.empty()) {
    // The tasks that the program makes itself, each stage in a folder that begins with its name.
    const std::string folder = path.parent_path().filename().string();
    for (const std::string_view task : {"listops", "pathfinder"})
      if (folder.starts_with(task))
        return fmt::format("; `diffuse data {}` makes such files (docs/long-range-arena.md)", task);
    if (key == "data.train") return "; --train FILE names another";
    if (key == "data.labels") return "; --set data.labels= takes the classes from data.train";
    if (key == "tokenizer.vocab") return "; --set tokenizer.type=words needs none";
    return fmt::format("; --set {}= goes without it", key);
  }
  return fmt::format(
      "; scripts/get_data.sh {} {} fetches it, or set DIFFUSE_DATA to the folder that holds {}",
      fetched, printable(path.parent_path().string(), 300), path.parent_path().filename().string());
}

void check_file(const char* key, const std::string& path, Faults& faults) {
  if (path.empty()) return;
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) {
    faults.add(key, "", fmt::format("{} is a folder; expected a file", printable(path, 300)));
  } else if (fs::exists(path, ignored) && !fs::is_regular_file(path, ignored)) {
    // It is read more than once: for its checksum, the vocabulary, the ids.
    const bool train = std::string_view(key) == "data.train";
    faults.add(key, "",
               fmt::format("{} is a pipe or a device; expected a file{}", printable(path, 300),
                           train ? ", or - for rows that come once, through stdin" : ""));
  } else if (access(path.c_str(), R_OK) != 0) {
    const int reason = errno;
    faults.add(key, "",
               fmt::format("{} cannot be read: {}{}", printable(path, 300), std::strerror(reason),
                           reason == ENOENT || reason == ENOTDIR ? remedy(key, path) : ""));
  }
}

}  // namespace

void find_file_faults(const Config& config, Faults& faults) {
  if (config.data.train.empty() && faults.empty()) {
    faults.add("data.train", "",
               "is not set; expected the file to train on (in the config, or --train FILE)");
  }
  std::vector<std::string> problems;
  for (const std::string& path : find_files(config.data.train, problems))
    if (path != kStdinName) check_file("data.train", path, faults);
  for (const std::string& problem : problems) faults.add("data.train", "", problem);
  check_file("data.validation", config.data.validation, faults);
  check_file("data.test", config.data.test, faults);
  check_file("data.labels", config.data.labels, faults);
  for (const std::string& path : config.pretrain.texts) check_file("pretrain.texts", path, faults);
  if (config.tokenizer.type == TokenizerType::wordpiece) {
    check_file("tokenizer.vocab", config.tokenizer.vocab, faults);
  }
}

}  // namespace diffuse
