// What every fuzz target of a reader does: any bytes give a document that keeps its promises, or an
// Error.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tome/base/error.h"
#include "tome/documents/document.h"
#include "tome/documents/reader.h"

namespace tome {

using ReaderFn = Document (*)(std::string_view bytes, const ReadOptions& options);

inline int FuzzReader(ReaderFn read, const uint8_t* data, size_t size) {
  Document document;
  try {
    document = read({reinterpret_cast<const char*>(data), size}, ReadOptions{});
  } catch (const Error& error) {
    TOME_CHECK(error.what()[0] != '\0');
    return 0;
  }
  CheckDocument(document);  // a broken promise ends the program
  return 0;
}

}  // namespace tome
