// Helpers for expectations about tome::Error, whose kind is a code and not a type.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <ostream>
#include <string>

#include "tome/base/error.h"

namespace tome {

// Returns the Error that a call throws. Empty where the call returns. Other exceptions pass
// through.
template <typename Call>
std::optional<Error> ErrorOf(Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  return std::nullopt;
}

// Returns the error of a call as text, so that a failed expectation can be read: "corrupt: the text
// is not UTF-8", or "no error".
template <typename Call>
std::string ErrorText(Call&& call) {
  const std::optional<Error> error = ErrorOf(call);
  return error ? std::string(CodeName(error->code())) + ": " + error->what() : "no error";
}

template <typename Call>
testing::AssertionResult Fails(Code code, Call&& call) {
  const std::optional<Error> error = ErrorOf(call);
  if (!error) return testing::AssertionFailure() << "no error";
  if (error->code() != code) {
    return testing::AssertionFailure()
           << CodeName(error->code()) << " instead of " << CodeName(code) << ": " << error->what();
  }
  if (error->what()[0] == '\0') return testing::AssertionFailure() << "an error without words";
  return testing::AssertionSuccess() << error->what();
}

}  // namespace tome
