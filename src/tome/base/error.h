// The one exception type of Tome.
//
// An error says in one line what was wrong, where (file, page, offset, tensor) and what to do. It
// carries a Code from a closed list, so that the doors of the program (main, an HTTP handler, a
// worker loop) can map it to an exit code or a status without reading its words. Its Advice names
// the settings that would help, which each door words with its own names. Layers may add context
// with Error::In; no layer swallows an error. Absence that is normal is std::optional, not an
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

// Returns the code's name as it is written in JSON and over the worker's pipe: "invalid_argument",
// "not_found", …
std::string_view CodeName(Code code);

// Returns the code of a name that CodeName gave, and kCorrupt for any other text, since names come
// from outside.
Code CodeFromName(std::string_view name);

class Error : public std::runtime_error {
 public:
  Error(Code code, const std::string& message, std::vector<Advice> advice = {})
      : std::runtime_error(message), code_(code), advice_(std::move(advice)) {}

  Code code() const { return code_; }
  // Any one of these would help. The list may be empty.
  const std::vector<Advice>& advice() const { return advice_; }

  // Returns this error with `context` ("novel.pdf") put before its message ("novel.pdf: page 3:
  // …").
  Error In(std::string_view context) const;

 private:
  Code code_;
  std::vector<Advice> advice_;
};

// Makes the error of a failed system call: "WHAT: strerror(error_number)". Its code is kNotFound
// for ENOENT, kOutOfMemory for ENOMEM and kIo for all else. For a full disk the message also says
// to free space.
Error SystemError(std::string_view what, int error_number);

namespace internal {
[[noreturn]] void CheckFailed(const char* expression, const char* file, int line);
}  // namespace internal

// Ends the program where `condition` is false, in release builds too: a broken invariant is a
// programming error.
#define TOME_CHECK(condition) \
  ((condition) ? (void)0 : ::tome::internal::CheckFailed(#condition, __FILE__, __LINE__))

}  // namespace tome
