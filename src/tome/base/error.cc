#include "tome/base/error.h"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <system_error>
#include <utility>

namespace tome {
namespace {

constexpr std::array<std::pair<Code, std::string_view>, 8> kCodeNames{{
    {Code::kInvalidArgument, "invalid_argument"},
    {Code::kNotFound, "not_found"},
    {Code::kCorrupt, "corrupt"},
    {Code::kUnsupported, "unsupported"},
    {Code::kOutOfMemory, "out_of_memory"},
    {Code::kIo, "io"},
    {Code::kCancelled, "cancelled"},
    {Code::kUnavailable, "unavailable"},
}};

}  // namespace

std::string_view CodeName(Code code) {
  for (const auto& [value, name] : kCodeNames) {
    if (value == code) return name;
  }
  return "corrupt";
}

Code CodeFromName(std::string_view name) {
  for (const auto& [value, known] : kCodeNames) {
    if (known == name) return value;
  }
  return Code::kCorrupt;
}

Error Error::In(std::string_view context) const {
  return Error(code_, fmt::format("{}: {}", context, what()), advice_);
}

Error SystemError(std::string_view what, int error_number) {
  const std::string reason = std::generic_category().message(error_number);
  const Code code = error_number == ENOENT   ? Code::kNotFound
                    : error_number == ENOMEM ? Code::kOutOfMemory
                                             : Code::kIo;
  return Error(code, fmt::format("{}: {}{}", what, reason,
                                 error_number == ENOSPC ? "; free some space and try again" : ""));
}

namespace internal {

void CheckFailed(const char* expression, const char* file, int line) {
  fmt::print(stderr, "tome: internal error: {} is false ({}:{})\n", expression, file, line);
  std::abort();
}

}  // namespace internal
}  // namespace tome
