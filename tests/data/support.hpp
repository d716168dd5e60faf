#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "diffuse/base/error.hpp"
#include "diffuse/base/files.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/data/dataset.hpp"
#include "diffuse/text/tokenizer.hpp"
#include "support/gzip.hpp"
#include "support/message_of.hpp"
#include "support/temp_dir.hpp"

namespace diffuse::testing {

inline std::vector<std::int32_t> tokens_of(const EncodedDataset& data, std::size_t row) {
  std::vector<std::int32_t> tokens;
  data.tokens(row, tokens);
  return tokens;
}

/// What is logged, `debug` included, while the object lives.
class LogCapture {
 public:
  LogCapture() {
    log::set_level(log::Level::off);
    log::open_file((dir_.path() / "log").string());
  }
  ~LogCapture() {
    log::close_file();
    log::set_level(log::Level::info);
  }
  std::string text() const { return read_file(dir_.path() / "log"); }

 private:
  TempDir dir_;
};

/// One id a letter: 'a' is 1, 'b' 2, …; everything else gives nothing.
class LetterTokenizer : public Tokenizer {
 public:
  std::int64_t encode(std::string_view text, std::int64_t max_tokens,
                      std::vector<std::int32_t>& ids) const override {
    std::int64_t count = 0;
    for (const char c : text) {
      if (c < 'a' || c > 'z') continue;
      if (max_tokens == 0 || count < max_tokens) ids.push_back(c - 'a' + 1);
      ++count;
    }
    return count;
  }
  std::vector<PlacedToken> encode_placed(std::string_view, std::int64_t) const override {
    return {};
  }
  std::int64_t vocab_size() const override { return 29; }
  std::int32_t mask_id() const override { return 27; }
  std::int32_t unknown_id() const override { return 28; }
  std::string vocab_text() const override { return "letters\n"; }
};

}  // namespace diffuse::testing
