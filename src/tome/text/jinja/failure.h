// Errors of templates. The interpreter puts the line before their messages ("template line 3: …").
#pragma once

#include <string>

#include "tome/base/error.h"

namespace tome::jinja {

// Throws for an operation that has no meaning with these values, such as a TypeError in Python.
[[noreturn]] inline void Fail(const std::string& message) {
  throw Error(Code::kInvalidArgument, message);
}

// Throws where the template exceeds a limit of limits.h.
[[noreturn]] inline void FailLimit(const std::string& message) {
  throw Error(Code::kOutOfMemory, message);
}

// Throws for a feature of Jinja that Tome does not have.
[[noreturn]] inline void FailUnsupported(const std::string& message) {
  throw Error(Code::kUnsupported, message);
}

}  // namespace tome::jinja
