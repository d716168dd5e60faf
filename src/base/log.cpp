#include "diffuse/base/log.hpp"

#include <spdlog/details/log_msg_buffer.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/ansicolor_sink.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "diffuse/base/error.hpp"
#include "diffuse/base/quiet_log.hpp"
#include "diffuse/base/text_util.hpp"
#include "terminal_line.hpp"

namespace diffuse {
namespace {

constexpr std::string_view kClearLine = "\r\x1b[K";

/// "warning: " and the like; an ordinary line on the terminal needs no label.
class LevelLabel : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&,
              spdlog::memory_buf_t& out) override {
    if (message.level == spdlog::level::info) return;
    const auto name = spdlog::level::to_string_view(message.level);
    out.append(name.begin(), name.end());
    out.push_back(':');
    out.push_back(' ');
  }
  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<LevelLabel>();
  }
};

spdlog::level::level_enum spdlog_level(log::Level level) {
  switch (level) {
    case log::Level::debug:
      return spdlog::level::debug;
    case log::Level::info:
      return spdlog::level::info;
    case log::Level::warning:
      return spdlog::level::warn;
    case log::Level::error:
      return spdlog::level::err;
    case log::Level::off:
      break;
  }
  return spdlog::level::off;
}

/// By https://no-color.org: a NO_COLOR that is set and not empty.
bool wants_colour() {
  const char* no_color = std::getenv("NO_COLOR");
  return stderr_is_terminal() && (no_color == nullptr || *no_color == '\0');
}

std::size_t terminal_columns() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

void put(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stderr); }

/// Owner of stderr: the log lines, the line that overwrites itself, and the file beside them. One
/// lock for all, so that lines of several threads never mix.
class Logger {
 public:
  Logger() {
    auto formatter = std::make_unique<spdlog::pattern_formatter>();
    formatter->add_flag<LevelLabel>('*').set_pattern("%^%*%$%v");
    stderr_.set_formatter(std::move(formatter));
  }

  void set_level(log::Level level) { level_ = level; }
  log::Level level() const { return level_; }

  void open_file(const std::string& path) {
    const std::lock_guard lock(mutex_);
    holding_ = false;
    const std::vector<spdlog::details::log_msg_buffer> held = std::exchange(held_, {});
    try {
      auto sink = std::make_unique<spdlog::sinks::basic_file_sink_st>(path);
      sink->set_pattern("%Y-%m-%d %H:%M:%S.%e  %-7l  %v");
      file_ = std::move(sink);
      for (const auto& message : held) file_->log(message);
    } catch (const spdlog::spdlog_ex& problem) {
      file_.reset();
      throw SystemError(
          fmt::format("{}: the log file cannot be opened ({}).", path, problem.what()));
    }
  }

  void close_file() {
    const std::lock_guard lock(mutex_);
    file_.reset();
  }

  void hold_for_file() {
    const std::lock_guard lock(mutex_);
    holding_ = true;
  }

  void write(log::Level level, std::string_view text) {
    if (level == log::Level::off) return;
    const std::lock_guard lock(mutex_);
    const spdlog::details::log_msg message("", spdlog_level(level), text);
    if (level >= level_) write_stderr(message);
    if (holding_) held_.emplace_back(message);
    write_file(message);
  }

  bool first_time(const std::string& what) {
    const std::lock_guard lock(mutex_);
    return said_.insert(what).second;
  }

  void show_line(std::string_view text) {
    const std::lock_guard lock(mutex_);
    put(kClearLine);
    put(text.substr(0, bytes_of_columns(text, terminal_columns() - 1)));
    std::fflush(stderr);
    line_shown_ = true;
  }

  void clear_line() {
    const std::lock_guard lock(mutex_);
    clear_line_locked();
    std::fflush(stderr);
  }

 private:
  static std::size_t bytes_of_columns(std::string_view text, std::size_t columns) {
    std::size_t bytes = 0;
    while (bytes < text.size()) {
      const DisplayedCharacter next = first_character(text.substr(bytes));
      if (next.columns > columns) return bytes;
      columns -= next.columns;
      bytes += next.bytes;
    }
    return bytes;
  }

  void clear_line_locked() {
    if (line_shown_) put(kClearLine);
    line_shown_ = false;
  }

  void write_stderr(const spdlog::details::log_msg& message) {
    clear_line_locked();
    // Asked at each line: stderr may have been redirected since the last one.
    stderr_.set_color_mode(wants_colour() ? spdlog::color_mode::always : spdlog::color_mode::never);
    stderr_.log(message);
    stderr_.flush();
  }

  void write_file(const spdlog::details::log_msg& message) {
    if (file_ == nullptr) return;
    try {
      file_->log(message);
      file_->flush();
    } catch (const spdlog::spdlog_ex& problem) {
      // A full disk must not end a run for its log, nor be hidden.
      file_.reset();
      const std::string text =
          fmt::format("the log file is closed, it cannot be written: {}", problem.what());
      write_stderr(spdlog::details::log_msg("", spdlog::level::warn, text));
    }
  }

  std::mutex mutex_;
  std::atomic<log::Level> level_ = log::Level::info;
  spdlog::sinks::ansicolor_stderr_sink_st stderr_;
  std::unique_ptr<spdlog::sinks::basic_file_sink_st> file_;
  bool line_shown_ = false;
  bool holding_ = false;
  std::vector<spdlog::details::log_msg_buffer> held_;
  std::set<std::string> said_;
};

Logger& logger() {
  static Logger instance;
  return instance;
}

}  // namespace

bool stderr_is_terminal() {
  const char* term = std::getenv("TERM");
  const bool dumb = term != nullptr && std::string_view(term) == "dumb";
  return isatty(STDERR_FILENO) == 1 && !dumb;
}

void show_terminal_line(std::string_view text) { logger().show_line(text); }
void clear_terminal_line() { logger().clear_line(); }

namespace log {

void set_level(Level level) { logger().set_level(level); }
void open_file(const std::string& path) { logger().open_file(path); }
void close_file() { logger().close_file(); }
void hold_for_file() { logger().hold_for_file(); }
void write(Level level, std::string_view message) { logger().write(level, message); }
void warning_once(const std::string& what, std::string_view message) {
  if (logger().first_time(what)) write(Level::warning, message);
}

QuietLog::QuietLog() : before_(logger().level()) {
  if (before_ == Level::info || before_ == Level::warning) set_level(Level::error);
}
QuietLog::~QuietLog() { set_level(before_); }

}  // namespace log
}  // namespace diffuse
