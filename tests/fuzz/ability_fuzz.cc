// Reads any bytes as the ability of a model that a library kept. They are refused, or they give an
// ability that is the same after writing and reading.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tome/answer/ability.h"
#include "tome/base/error.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto ability = tome::AbilityFromText(text);
  if (!ability) return 0;
  TOME_CHECK(tome::AbilityFromText(tome::ToText(*ability)) == ability);
  return 0;
}
