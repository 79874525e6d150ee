// The options that say how files are read. Commands that take documents share them.
#pragma once

#include <CLI/CLI.hpp>

#include <span>
#include <string>
#include <vector>

#include "commands/command.h"
#include "tome/answer/answer.h"
#include "tome/library/library.h"
#include "tome/measurements/measurements.h"

namespace tome {

struct ReadingOptions {
  std::string encoding;
  bool ocr = false;
  int threads = 0;  // 0: all processors
};

void AddReadingOptions(CLI::App& command, ReadingOptions& options);

// Open the user's library, and what was measured of models.
Library OpenUserLibrary(const CommandContext& context);
Measurements OpenUserMeasurements(const CommandContext& context);

// Adds `file` to the library with a progress bar. The notes of its reader, of now or of when it was
// added, go to stderr.
AddedDocument AddFile(Library& library, const std::string& file, const ReadingOptions& options,
                      const CommandContext& context);

// Does the same for several files, and returns them as documents to ask.
std::vector<NamedDocument> AddDocuments(Library& library, std::span<const std::string> files,
                                        const ReadingOptions& options,
                                        const CommandContext& context);

// Puts the notes of the readers of `documents` before an answer's own notes. Where `documents` is
// empty, the documents that the answer cites are taken.
void AddReaderNotes(Library& library, std::span<const NamedDocument> documents, Answer& answer);

}  // namespace tome
