// Reads a file into a Document in a process of its own, `tome-reader`, under limits on memory and
// time.
//
// Formats are untrusted and their parsers large; one that crashes, hangs or eats memory costs one
// document, with a clear error, never the library or the server.
//
// Protocol: the worker gets the file as its standard input and answers on its standard output with
// frames: one byte kind, 8 bytes little-endian length, payload.
//   'P'  progress: JSON {"stage", "done", "total"}
//   'D'  the document (documents/document_codec.h); the last frame
//   'E'  an error: JSON {"code", "message"}; the last frame
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "tome/base/progress.h"
#include "tome/documents/document.h"

namespace tome {

struct ReaderLimits {
  // Address space of the worker. The text of ten million characters needs a tenth of it.
  uint64_t memory_bytes = uint64_t{3} << 30;
  // Longest silence: a worker that neither progresses nor ends is stopped.
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
// do not name the file: the caller knows how the user named it. Error(kUnavailable) when the worker
// program cannot be started.
Document ReadFileInProcess(int fd, const std::string& file_name, const ReadFileOptions& options);

// Where `tome-reader` is: $TOME_READER, else beside the running program, else ../libexec/tome/ from
// it.
std::filesystem::path ReaderProgram();

}  // namespace tome
