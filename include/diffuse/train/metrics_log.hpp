#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "diffuse/report/metric_lines.hpp"

namespace diffuse {

/// `metrics.jsonl`: one JSON object a line, on disk as soon as it is written.
class MetricsLog {
 public:
  /// Appends to `path`. Throws SystemError if it cannot be opened.
  explicit MetricsLog(const std::filesystem::path& path);
  ~MetricsLog();

  /// Writes a line of report/metric_lines.hpp, whole or not at all. Throws SystemError if that
  /// fails; the next line may be tried all the same.
  template <class Line>
  void write(const Line& line) {
    write_line(metric_line(line));
  }

 private:
  struct File;

  void write_line(std::string line);

  std::filesystem::path path_;
  std::unique_ptr<File> file_;
};

}  // namespace diffuse
