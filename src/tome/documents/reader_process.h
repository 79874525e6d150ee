// ReadFileInProcess reads a file into a Document in a process of its own, `tome-reader`, under
// limits on memory and time.
//
// Formats are untrusted and their parsers large. One that crashes, hangs or eats memory costs one
// document, with a clear error, never the library or the program.
//
// The worker gets the file as its standard input and answers on its standard output with frames:
// one byte kind, 8 bytes little-endian length, payload.
//
//   'P'  progress: JSON {"stage", "done", "total"}
//   'D'  the document (documents/document_codec.h); the last frame
//   'E'  an error: JSON {"code", "message", "advice"}; the last frame
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "tome/base/progress.h"
#include "tome/documents/document.h"

namespace tome {

struct ReaderLimits {
  // Limits the address space of the worker. The text of ten million characters needs a tenth of it.
  uint64_t memory_bytes = uint64_t{3} << 30;
  // Limits the silence of the worker. A worker that neither progresses nor ends is stopped.
  int stall_seconds = 60;
};

struct ReadFileOptions {
  std::string encoding;  // of text, Markdown and HTML; empty: guessed
  bool ocr = false;
  int threads = 1;
  ReaderLimits limits;
  WorkControl control;
};

// Reads `fd`, an open regular file; `file_name` (no folder needed) helps to tell its format. Errors
// do not name the file, because the caller knows how the user named it. Throws the worker's own
// Error, and Error:
//   kUnavailable  the worker cannot be started, or ended without an answer
//   kUnsupported  the worker stalled or took too much processor time
//   kOutOfMemory  the worker was killed
//   kCorrupt      the worker crashed or its answer is malformed
//   kCancelled    on a stop request
Document ReadFileInProcess(int fd, const std::string& file_name, const ReadFileOptions& options);

// Returns the path of `tome-reader`: $TOME_READER, else beside the running program, else in
// ../libexec/tome/ from there.
std::filesystem::path ReaderProgram();

}  // namespace tome
