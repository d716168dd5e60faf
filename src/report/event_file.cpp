#include "diffuse/report/event_file.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <chrono>
#include <span>
#include <string>
#include <system_error>

#include "base/file_io.hpp"
#include "diffuse/base/error.hpp"
#include "report/crc32c.hpp"

namespace diffuse {
namespace {

namespace fs = std::filesystem;

// Field numbers of event.proto and summary.proto.
constexpr int kWallTime = 1;
constexpr int kStep = 2;
constexpr int kFileVersion = 3;
constexpr int kSummary = 5;
constexpr int kSessionLog = 7;
constexpr int kSummaryValue = 1;
constexpr int kTag = 1;
constexpr int kSimpleValue = 2;
constexpr int kSessionStatus = 1;
constexpr std::uint64_t kSessionStart = 1;

// How protocol buffers write a field's value.
enum class Wire { varint = 0, eight_bytes = 1, text = 2, four_bytes = 5 };

void append_little_endian(std::string& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>((value >> (8 * i)) & 0xFFU);
}

void append_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80U; value >>= 7) out += static_cast<char>((value & 0x7FU) | 0x80U);
  out += static_cast<char>(value);
}

void append_key(std::string& out, int field, Wire wire) {
  append_varint(out, static_cast<std::uint64_t>(field) << 3 | static_cast<std::uint64_t>(wire));
}

void append_text(std::string& out, int field, std::string_view text) {
  append_key(out, field, Wire::text);
  append_varint(out, text.size());
  out += text;
}

/// The beginning of every event.
std::string timed_event(double wall_time_s) {
  std::string event;
  append_key(event, kWallTime, Wire::eight_bytes);
  append_little_endian(event, std::bit_cast<std::uint64_t>(wall_time_s), 8);
  return event;
}

std::string timed_event(double wall_time_s, std::int64_t step) {
  std::string event = timed_event(wall_time_s);
  append_key(event, kStep, Wire::varint);
  append_varint(event, static_cast<std::uint64_t>(step));
  return event;
}

std::string host_name() {
  std::array<char, 256> name{};
  // The last byte stays 0: a name that is too long need not be terminated.
  if (::gethostname(name.data(), name.size() - 1) != 0 || name.front() == '\0') return "localhost";
  return name.data();
}

[[noreturn]] void fail(const fs::path& path, const std::error_code& reason) {
  throw SystemError(fmt::format("{}: cannot be created: {}.", path.string(), reason.message()));
}

}  // namespace

struct EventFile::State {
  Descriptor file;
};

EventFile::EventFile(const fs::path& folder) {
  std::error_code problem;
  fs::create_directories(folder, problem);
  if (problem) fail(folder, problem);
  const double now =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  int fd = -1;
  for (int n = 0; fd < 0; ++n) {
    path_ = folder / fmt::format("events.out.tfevents.{:010}.{}.{}.{}",
                                 static_cast<std::int64_t>(now), host_name(), ::getpid(), n);
    fd = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0 && errno != EEXIST) fail(path_, {errno, std::generic_category()});
  }
  state_ = std::make_unique<State>(State{Descriptor(fd)});
  std::string event = timed_event(now);
  append_text(event, kFileVersion, "brain.Event:2");
  write_record(event);
}

EventFile::~EventFile() = default;

void EventFile::add_scalar(std::string_view tag, std::int64_t step, double value,
                           double wall_time_s) {
  std::string entry;
  append_text(entry, kTag, tag);
  append_key(entry, kSimpleValue, Wire::four_bytes);
  append_little_endian(entry, std::bit_cast<std::uint32_t>(static_cast<float>(value)), 4);
  std::string summary;
  append_text(summary, kSummaryValue, entry);
  std::string event = timed_event(wall_time_s, step);
  append_text(event, kSummary, summary);
  write_record(event);
}

void EventFile::add_restart(std::int64_t first_step, double wall_time_s) {
  std::string session;
  append_key(session, kSessionStatus, Wire::varint);
  append_varint(session, kSessionStart);
  std::string event = timed_event(wall_time_s, first_step);
  append_text(event, kSessionLog, session);
  write_record(event);
}

void EventFile::write_record(std::string_view event) {
  std::string record;
  append_little_endian(record, event.size(), 8);
  append_little_endian(record, masked_crc32c(record), 4);
  record += event;
  append_little_endian(record, masked_crc32c(event), 4);
  write_all(state_->file, std::as_bytes(std::span(record)), path_);
}

}  // namespace diffuse
