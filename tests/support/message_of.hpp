#pragma once

#include <gtest/gtest.h>

#include <exception>
#include <string>

namespace diffuse::testing {

/// The message of the `Expected` that `call` throws; a failure if it throws none.
template <class Expected, class Call>
std::string message_of(Call&& call) {
  try {
    call();
  } catch (const Expected& error) {
    return error.what();
  } catch (const std::exception& error) {
    ADD_FAILURE() << "another exception: " << error.what();
    return "";
  }
  ADD_FAILURE() << "no exception";
  return "";
}

}  // namespace diffuse::testing
