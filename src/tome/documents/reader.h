// What every reader of a document format has in common. A reader is a function
//
//   Document ReadHtml(std::string_view bytes, const ReadOptions& options);
//
// over the whole content of the file. It throws Error: kCorrupt for a damaged file, kUnsupported
// for what the format allows and Tome cannot read (an encrypted PDF), kOutOfMemory past a limit of
// limits.h, kCancelled. It never crashes on purpose-made input, but if it does, it dies in the
// worker process (apps/tome-reader) that all readers run in, and costs one document.
#pragma once

#include <string>

#include "tome/base/progress.h"
#include "tome/documents/document.h"

namespace tome {

struct ReadOptions {
  std::string encoding;  // of text, Markdown and HTML; empty: guessed
  bool ocr = false;      // recognise scanned pages with tesseract
  int threads = 1;       // for readers that can use several (PDF pages)
  WorkControl control;
};

}  // namespace tome
