// The one exception type of Tome.
//
// An error says what was wrong, where (file, page, offset, tensor) and what to do, in one line, and
// carries a Code from a closed list, so that the doors of the program (main, an HTTP handler, a
// worker loop) can map it to an exit code or a status without reading its words. Which setting
// would help is Advice, which a door words with its own names. Layers may add context with
// Error::In; none swallows an error. Absence that is normal is std::optional, not an
// error.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tome/base/advice.h"

namespace tome {

enum class Code {
  kInvalidArgument,  // the caller asked for something that has no meaning
  kNotFound,         // a named thing does not exist
  kCorrupt,          // data does not hold what its format promises
  kUnsupported,      // valid, but not something this build or version handles
  kOutOfMemory,      // a stated limit of memory was reached
  kIo,               // the system failed to read, write or start something
  kCancelled,        // the user or a caller stopped the work
  kUnavailable,      // a resource is busy or unreachable for now; the same call may work later
};

// The code's name as it is written in JSON and over the worker's pipe: "invalid_argument",
// "not_found", …
std::string_view CodeName(Code code);

// The code of a name that CodeName gave; kCorrupt for any other text (it came from outside).
Code CodeFromName(std::string_view name);

class Error : public std::runtime_error {
 public:
  Error(Code code, const std::string& message, std::vector<Advice> advice = {})
      : std::runtime_error(message), code_(code), advice_(std::move(advice)) {}

  Code code() const { return code_; }
  // What would help, any one of it; may be empty.
  const std::vector<Advice>& advice() const { return advice_; }

  // This error with `context` ("novel.pdf") put before its message ("novel.pdf: page 3: …").
  Error In(std::string_view context) const;

 private:
  Code code_;
  std::vector<Advice> advice_;
};

// An Io error for a failed system call: "WHAT: strerror(error_number)". A full disk says so
// plainly.
Error SystemError(std::string_view what, int error_number);

namespace internal {
[[noreturn]] void CheckFailed(const char* expression, const char* file, int line);
}  // namespace internal

// A broken invariant is a programming error: it ends the program, in release too.
#define TOME_CHECK(condition) \
  ((condition) ? (void)0 : ::tome::internal::CheckFailed(#condition, __FILE__, __LINE__))

}  // namespace tome
