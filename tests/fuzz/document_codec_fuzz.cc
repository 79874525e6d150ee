// Decodes any bytes. They give an Error, or a document that keeps its promises and survives the
// round trip.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tome/base/error.h"
#include "tome/documents/document_codec.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tome::Document document;
  try {
    document = tome::DecodeDocument({reinterpret_cast<const char*>(data), size});
  } catch (const tome::Error& error) {
    TOME_CHECK(error.code() == tome::Code::kCorrupt);
    return 0;
  }
  tome::CheckDocument(document);
  TOME_CHECK(tome::DecodeDocument(tome::EncodeDocument(document)) == document);
  return 0;
}
