#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <optional>
#include <string>

#include "diffuse/base/error.hpp"
#include "diffuse/config/load.hpp"
#include "support/temp_dir.hpp"

namespace diffuse::testing {

/// The text of the ConfigError that `work` throws.
inline std::string config_error(const std::function<void()>& work) {
  try {
    work();
  } catch (const ConfigError& error) {
    return error.what();
  }
  ADD_FAILURE() << "no ConfigError";
  return "";
}

/// What loading a file of this content complains about, the file called c.json.
inline std::string load_error(const std::string& content, const Overrides& overrides = {}) {
  const TempDir dir;
  const std::filesystem::path file = dir.write("c.json", content);
  std::string text = config_error([&] { load_config(file, overrides); });
  for (std::size_t at = 0; (at = text.find(file.string())) != std::string::npos;) {
    text.replace(at, file.string().size(), "c.json");
  }
  return text;
}

inline Config load_text(const std::string& content, const Overrides& overrides = {}) {
  const TempDir dir;
  return load_config(dir.write("c.json", content), overrides);
}

inline std::string override_error(const std::string& key, const std::string& value) {
  return config_error([&] { default_config({{key, value}}); });
}

/// An environment variable for the time of a test.
class ScopedVariable {
 public:
  ScopedVariable(const char* name, const char* value) : name_(name) {
    if (const char* old = std::getenv(name)) old_ = old;
    value == nullptr ? unsetenv(name) : setenv(name, value, 1);
  }
  ~ScopedVariable() { old_ ? setenv(name_, old_->c_str(), 1) : unsetenv(name_); }
  ScopedVariable(const ScopedVariable&) = delete;
  ScopedVariable& operator=(const ScopedVariable&) = delete;

 private:
  const char* name_;
  std::optional<std::string> old_;
};

}  // namespace diffuse::testing
