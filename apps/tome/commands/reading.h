// What `ask`, `text` and `library add` share: the options that say how files are read.
#pragma once

#include <CLI/CLI.hpp>
#include <span>
#include <string>
#include <vector>

#include "commands/command.h"
#include "tome/answer/answer.h"
#include "tome/library/library.h"

namespace tome {

struct ReadingOptions {
  std::string encoding;
  bool ocr = false;
  int threads = 0;  // 0: all processors
};

void AddReadingOptions(CLI::App& command, ReadingOptions& options);

// Opens the user's library.
Library OpenUserLibrary(const CommandContext& context);

// Adds `file` to the library with a progress bar. What its reader noted, now or when it was added,
// goes to stderr.
AddedDocument AddFile(Library& library, const std::string& file, const ReadingOptions& options,
                      const CommandContext& context);

// The same for several, as documents to ask.
std::vector<NamedDocument> AddDocuments(Library& library, std::span<const std::string> files,
                                        const ReadingOptions& options,
                                        const CommandContext& context);

// Puts before an answer's notes what the readers of `documents` noted, or, where none were named,
// of those that it cites.
void AddReaderNotes(Library& library, std::span<const NamedDocument> documents, Answer& answer);

}  // namespace tome
