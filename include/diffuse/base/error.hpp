#pragma once

#include <stdexcept>
#include <string>

namespace diffuse {

/// Every exception that the library throws on purpose. `what()` is a finished sentence for the
/// user: what was wrong, where, what was expected and what to do.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message) : std::runtime_error(message) {}
};

/// Something the user gave is wrong and changing it is the cure (the program exits with 2).
class UserError : public Error {
 public:
  using Error::Error;
};

/// A command line that cannot be carried out.
class UsageError : public UserError {
 public:
  using UserError::UserError;
};

/// A config file, `--set` or environment value that is not allowed.
class ConfigError : public UserError {
 public:
  using UserError::UserError;
};

/// A data, vocabulary or label file that is missing or holds a bad row; the text starts with
/// `file:line:` where a line is known.
class DataError : public UserError {
 public:
  using UserError::UserError;
};

/// A checkpoint that is missing, damaged or of another shape than its config says.
class CheckpointError : public UserError {
 public:
  using UserError::UserError;
};

/// The machine failed us: a write, a lock, a missing device (the program exits with 1).
class SystemError : public Error {
 public:
  using Error::Error;
};

/// Training cannot go on (a loss that is not finite, say).
class TrainingError : public Error {
 public:
  using Error::Error;
};

}  // namespace diffuse
