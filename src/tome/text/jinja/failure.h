// Errors of templates. The interpreter puts the line before them ("template line 3: …").
#pragma once

#include <string>

#include "tome/base/error.h"

namespace tome::jinja {

// The template did something that has no meaning with these values: a TypeError in Python.
[[noreturn]] inline void Fail(const std::string& message) {
  throw Error(Code::kInvalidArgument, message);
}

// The template reached one of limits.h.
[[noreturn]] inline void FailLimit(const std::string& message) {
  throw Error(Code::kOutOfMemory, message);
}

// Something of Jinja that Tome does not have.
[[noreturn]] inline void FailUnsupported(const std::string& message) {
  throw Error(Code::kUnsupported, message);
}

}  // namespace tome::jinja
