// A reader of a document format is a function
//
//   Document ReadHtml(std::string_view bytes, const ReadOptions& options);
//
// over the whole content of the file. It throws Error: kCorrupt for a damaged file, kUnsupported
// for a file that the format allows and Tome cannot read (an encrypted PDF), kOutOfMemory or
// kUnsupported past a limit of limits.h, kCancelled on a stop request. No input should crash a
// reader. A crash would cost one document, because all readers run in a worker process
// (apps/tome-reader).
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
