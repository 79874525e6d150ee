// Parses any bytes as config.toml. They give an Error, or settings that are the same after writing
// and reading.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tome/base/error.h"
#include "tome/library/config.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tome::Config config;
  try {
    config = tome::ParseConfig({reinterpret_cast<const char*>(data), size}, "config.toml");
  } catch (const tome::Error& error) {
    TOME_CHECK(error.code() == tome::Code::kCorrupt);
    return 0;
  }
  TOME_CHECK(config.default_model.empty() || config.models.contains(config.default_model));
  TOME_CHECK(tome::ParseConfig(tome::ToToml(config), "written") == config);
  return 0;
}
