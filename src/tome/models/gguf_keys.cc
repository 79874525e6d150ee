#include "tome/models/gguf_keys.h"

#include <fmt/format.h>

#include "tome/base/error.h"

namespace tome {
namespace {

[[noreturn]] void ThrowMissing(const std::string& key) {
  throw Error(Code::kCorrupt, fmt::format("the key {} is missing", key));
}

}  // namespace

int64_t GgufKeys::Require(std::string_view key) const {
  const auto value = Int(key);
  if (!value) ThrowMissing(Full(key));
  return *value;
}

double GgufKeys::RequireFloat(std::string_view key) const {
  const auto value = Float(key);
  if (!value) ThrowMissing(Full(key));
  return *value;
}

}  // namespace tome
