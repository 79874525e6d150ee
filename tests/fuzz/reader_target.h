// The fuzz target of every reader checks that any bytes give an Error, or a document that keeps its
// promises.
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
  CheckDocument(document);  // ends the program where a promise is broken
  return 0;
}

}  // namespace tome
