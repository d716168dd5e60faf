#include "data_settings.hpp"

#include <fmt/core.h>

#include <string>
#include <vector>

#include "diffuse/base/error.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/config/load.hpp"
#include "diffuse/data/loading.hpp"
#include "diffuse/data/picture_changes.hpp"
#include "diffuse/data/records.hpp"
#include "diffuse/text/labels.hpp"
#include "diffuse/text/tokenizer.hpp"
#include "separator.hpp"

namespace diffuse {
namespace {

/// Of what is to be changed as pictures, what is none: else the first batch would tell.
void find_no_pictures(const Config& config, const std::vector<std::string>& train_files,
                      std::vector<std::string>& faults) {
  const PictureChanges changes = picture_changes(config.train);
  if (!changes.any()) return;
  constexpr std::int64_t kPixels = PictureChanges::kSide * PictureChanges::kSide;
  const char* key = changes.flip ? "train.picture_flip" : "train.picture_shift";
  const std::string none =
      fmt::format("{}{}", changes.flip ? " --set train.picture_flip=false" : "",
                  changes.shift > 0 ? " --set train.picture_shift=0" : "");
  for (const std::string& path : train_files) {
    const FileFormat given = config.data.format;
    const FileFormat format = given == FileFormat::automatic ? format_of_name(path) : given;
    // What no name tells is a fault of its own.
    if (format == FileFormat::pixels || format == FileFormat::automatic) continue;
    faults.push_back(fmt::format(
        "{}: it changes pictures, but {} holds texts (data.format = {}); expected files of pixels "
        "(.bin), or{}",
        key, path, enum_name(format), none));
    return;
  }
  if (!config.train.pretrain.empty() && !config.pretrain.texts.empty())
    faults.push_back(fmt::format(
        "{}: it changes pictures, but pretrain.texts holds texts; expected none, or{}", key, none));
  if (const std::int64_t most = config.tokenizer.cut_at(); most != 0 && most < kPixels)
    faults.push_back(fmt::format(
        "{}: it changes whole pictures, of {} pixels, but tokenizer.max_tokens = {} cuts them off; "
        "expected at least {}, tokenizer.long_texts = pool, or{}",
        key, kPixels, most, kPixels, none));
}

}  // namespace

std::string vocab_file(const TokenizerConfig& config) {
  return config.type == TokenizerType::wordpiece ? config.vocab : "";
}

void check_data_settings(const Config& config) {
  const DataConfig& data = config.data;
  const TokenizerConfig& tokenizer = config.tokenizer;
  std::vector<std::string> faults;
  const auto collect = [&](const std::string& path, auto&& check) {
    if (path.empty()) return;
    try {
      check();
    } catch (const UserError& error) {
      faults.emplace_back(error.what());
    }
  };
  std::vector<std::string> told;  // of files by the check of the config
  std::vector<std::string> files = find_files(data.train, told);
  find_no_pictures(config, files, faults);
  files.insert(files.end(), {data.validation, data.test});
  for (const std::string& path : files) {
    collect(path, [&] { resolve_format(path, data.format); });
  }
  collect("data.separator", [&] { configured_separator(data.separator); });
  collect(data.labels, [&] { Labels::read(data.labels); });
  collect(vocab_file(tokenizer), [&] { load_tokenizer(tokenizer, tokenizer.vocab); });
  if (!faults.empty()) throw DataError(join(faults, "\n"));
}

DataConfig without_columns(DataConfig data) {
  data.separator.clear();
  data.label_column.clear();
  data.text_columns.clear();
  data.weight_column.clear();
  return data;
}

}  // namespace diffuse
