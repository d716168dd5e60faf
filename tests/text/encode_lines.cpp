// Encodes texts with a tokenizer of this project, for scripts/compare_tokenizers.py.
//
//   encode_lines TYPE VOCAB cased|uncased THREADS TEXTS IDS
//
// TEXTS: for each text its length in bytes (uint32) and its bytes. IDS, written: for each text the
// number of its ids (uint32) and the ids (int32). All little-endian. Prints the seconds that
// encoding took, without reading and writing.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "diffuse/base/files.hpp"
#include "diffuse/text/tokenizer.hpp"

namespace {

std::vector<std::string> read_texts(const std::string& path) {
  const std::string content = diffuse::read_file(path);
  std::vector<std::string> texts;
  std::size_t at = 0;
  while (at < content.size()) {
    std::uint32_t length = 0;
    if (content.size() - at < sizeof length) throw std::runtime_error("length cut off in " + path);
    std::memcpy(&length, content.data() + at, sizeof length);
    at += sizeof length;
    if (content.size() - at < length) throw std::runtime_error("text cut off in " + path);
    texts.push_back(content.substr(at, length));
    at += length;
  }
  return texts;
}

int run(const std::vector<std::string>& arguments) {
  if (arguments.size() != 6) {
    throw std::runtime_error("usage: encode_lines TYPE VOCAB cased|uncased THREADS TEXTS IDS");
  }
  diffuse::TokenizerConfig config;
  config.type = arguments[0] == "wordpiece" ? diffuse::TokenizerType::wordpiece
                : arguments[0] == "words"   ? diffuse::TokenizerType::words
                                            : diffuse::TokenizerType::bytes;
  config.lowercase = arguments[2] == "uncased";
  const auto tokenizer = diffuse::load_tokenizer(config, arguments[1]);
  const std::vector<std::string> texts = read_texts(arguments[4]);

  const std::vector<std::string_view> views(texts.begin(), texts.end());
  diffuse::WorkerPool pool(std::stoi(arguments[3]));
  diffuse::EncodedTexts encoded;
  const auto start = std::chrono::steady_clock::now();
  diffuse::encode_batch(*tokenizer, views, 0, pool, encoded);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;

  std::ofstream output(arguments[5], std::ios::binary);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto count = static_cast<std::uint32_t>(encoded.offsets[i + 1] - encoded.offsets[i]);
    output.write(reinterpret_cast<const char*>(&count), sizeof count);
    output.write(reinterpret_cast<const char*>(encoded.ids.data() + encoded.offsets[i]),
                 static_cast<std::streamsize>(count * sizeof(std::int32_t)));
  }
  if (!output.flush()) throw std::runtime_error("cannot write " + arguments[5]);
  std::printf("%.6f\n", seconds.count());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "encode_lines: %s\n", error.what());
    return 1;
  }
}
