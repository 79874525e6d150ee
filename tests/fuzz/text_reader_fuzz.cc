#include <cstddef>
#include <cstdint>

#include "tests/fuzz/reader_target.h"
#include "tome/documents/readers/text_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return tome::FuzzReader(tome::ReadText, data, size);
}
