// Runs Tome's code on the words and boxes that poppler makes of a file. A crash inside poppler is
// for its maintainers to fix; the worker process keeps it from harming Tome.
#include <cstddef>
#include <cstdint>

#include "apps/tome-reader/pdf_reader.h"
#include "tests/fuzz/reader_target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kMaxSize = 64 << 10;  // larger files only take longer
  if (size > kMaxSize) return 0;
  return tome::FuzzReader(tome::ReadPdf, data, size);
}
