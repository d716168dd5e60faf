#include "task_folder.hpp"

#include <fmt/core.h>

#include <filesystem>
#include <system_error>

#include "diffuse/base/error.hpp"
#include "diffuse/base/text_util.hpp"

namespace diffuse::cli {
namespace {

namespace fs = std::filesystem;

bool is_task_content(const std::string& name) {
  if (name == kDatasetFile) return true;
  for (const Split split : kSplitsInOrder)
    for (const char* ending : {".tsv", ".bin", ".markers.tsv"})
      if (name == std::string(split_name(split)) + ending) return true;
  return false;
}

}  // namespace

void check_task_folder(const TaskOutput& output) {
  const fs::path out = output.out;
  std::error_code ignored;
  if (out.empty()) throw UsageError("--out '': expected the name of a folder.");
  if (!fs::exists(fs::symlink_status(out, ignored))) return;
  const std::string what = "--out " + printable(output.out, 200);
  if (!fs::is_directory(out, ignored))
    throw UsageError(what + ": this is a file; expected the name of a folder.");
  if (fs::is_empty(out, ignored)) return;
  if (!output.overwrite)
    throw UsageError(what +
                     ": the folder is not empty; name a new one, or replace the data in it "
                     "(--overwrite).");
  const bool made_here = fs::exists(out / kDatasetFile, ignored);
  for (const auto& entry : fs::directory_iterator(out, ignored)) {
    const std::string name = entry.path().filename().string();
    if (made_here && is_task_content(name)) continue;
    throw UsageError(
        fmt::format("{}: --overwrite replaces data that this verb has made, but {} is not part of "
                    "any; move it away, or name another folder.",
                    what, printable(name)));
  }
}

}  // namespace diffuse::cli
