#include <cstddef>
#include <cstdint>

#include "tests/fuzz/image_target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return tome::FuzzImage(tome::DecodePng, data, size);
}
