#pragma once

#include "diffuse/base/log.hpp"

namespace diffuse::log {

/// While it lives, errors alone reach stderr, for work of which a line of its own tells: one
/// training among hundreds. The log file has everything, and stderr too where `debug` is asked for.
class QuietLog {
 public:
  QuietLog();
  ~QuietLog();
  QuietLog(const QuietLog&) = delete;
  QuietLog& operator=(const QuietLog&) = delete;

 private:
  Level before_;
};

}  // namespace diffuse::log
