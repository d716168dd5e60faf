#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "diffuse/data/records.hpp"

namespace diffuse {

std::vector<std::string> read_texts(const InputFiles& files, const DataConfig& config,
                                    const ReadOptions& options,
                                    std::span<const std::uint64_t> numbers) {
  std::map<std::uint64_t, std::string> wanted;
  for (const std::uint64_t number : numbers) wanted[number];
  const std::unique_ptr<RecordReader> reader =
      open_record_files(find_files(files, "the rows' file"), config, options);
  Example example;
  BadRow bad;
  const std::uint64_t last = wanted.empty() ? 0 : wanted.rbegin()->first;
  for (std::uint64_t number = 1; number <= last; ++number) {
    const ReadStatus status = reader->next(example, bad);
    if (status == ReadStatus::end) break;
    const auto found = wanted.find(number);
    if (found != wanted.end() && status == ReadStatus::row) found->second = example.text;
  }
  std::vector<std::string> texts;
  for (const std::uint64_t number : numbers) texts.push_back(wanted[number]);
  return texts;
}

}  // namespace diffuse
