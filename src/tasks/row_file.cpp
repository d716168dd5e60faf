#include "tasks/row_file.hpp"

#include <cstddef>
#include <span>

namespace diffuse {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{1} << 20;

}  // namespace

RowFile::RowFile(const std::filesystem::path& path)
    : name_(path.filename().string()), file_(path) {}

void RowFile::write(std::string_view bytes) {
  buffer_ += bytes;
  if (buffer_.size() >= kBufferBytes) flush();
}

TaskFile RowFile::finish() {
  flush();
  file_.commit();
  return {.name = name_, .bytes = bytes_, .xxh3_128 = hasher_.hex()};
}

void RowFile::flush() {
  hasher_.update(buffer_);
  file_.write(std::as_bytes(std::span(buffer_)));
  bytes_ += static_cast<std::int64_t>(buffer_.size());
  buffer_.clear();
}

}  // namespace diffuse
