#include "data_settings.hpp"

#include <string>
#include <vector>

#include "diffuse/base/error.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/data/loading.hpp"
#include "diffuse/data/records.hpp"
#include "diffuse/text/labels.hpp"
#include "diffuse/text/tokenizer.hpp"
#include "separator.hpp"

namespace diffuse {

std::string vocab_file(const TokenizerConfig& config) {
  return config.type == TokenizerType::wordpiece ? config.vocab : "";
}

void check_data_settings(const DataConfig& data, const TokenizerConfig& tokenizer) {
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
