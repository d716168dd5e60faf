#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string_view>

namespace diffuse {

/// A TensorBoard event file: TFRecords of `Event` protocol buffers (tensorflow/core/util/
/// event.proto), written without TensorFlow. Each call is one write to the file, so a run that is
/// killed leaves whole records. Not for use by several threads at once.
class EventFile {
 public:
  /// Creates `folder` where it is missing and in it a new file,
  /// `events.out.tfevents.<seconds since 1970, 10 digits>.<host>.<process id>.<n>`, with the first
  /// record. Throws SystemError naming the path and the reason.
  explicit EventFile(const std::filesystem::path& folder);
  ~EventFile();
  EventFile(const EventFile&) = delete;
  EventFile& operator=(const EventFile&) = delete;

  /// One point of the curve `tag` ("train/loss", UTF-8). TensorBoard keeps `value` as float32;
  /// `wall_time_s` is seconds since 1970. Throws SystemError if writing fails.
  void add_scalar(std::string_view tag, std::int64_t step, double value, double wall_time_s);

  /// Says that a run which was killed goes on: points of this folder's earlier files from
  /// `first_step` on no longer count. Throws SystemError if writing fails.
  void add_restart(std::int64_t first_step, double wall_time_s);

  const std::filesystem::path& path() const { return path_; }

 private:
  struct State;

  void write_record(std::string_view event);

  std::filesystem::path path_;
  std::unique_ptr<State> state_;
};

}  // namespace diffuse
