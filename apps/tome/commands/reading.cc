#include "commands/reading.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "advice.h"
#include "terminal.h"

namespace tome {

void AddReadingOptions(CLI::App& command, ReadingOptions& options) {
  command
      .add_option("--encoding", options.encoding,
                  "Encoding of text, Markdown and HTML files (default: found out)")
      ->type_name("NAME");
  command.add_flag("--ocr", options.ocr, "Recognise the text of scanned PDF pages with tesseract");
  command
      .add_option("--threads", options.threads, "Threads to read with (default: all processors)")
      ->check(CLI::Range(1, 256))
      ->type_name("N");
}

Library OpenUserLibrary(const CommandContext& context) {
  return Library::Open(Library::DefaultHome(), {.stop = context.stop, .progress = {}});
}

Measurements OpenUserMeasurements(const CommandContext& context) {
  return Measurements::Open(Library::DefaultHome(), context.stop);
}

AddedDocument AddFile(Library& library, const std::string& file, const ReadingOptions& options,
                      const CommandContext& context) {
  AddedDocument added;
  {
    ProgressBar bar(file);
    const int processors = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
    added = library.Add(file, {.encoding = options.encoding,
                               .ocr = options.ocr,
                               .threads = options.threads > 0 ? options.threads : processors,
                               .limits = {},
                               .control = {.stop = context.stop, .progress = bar.Function()}});
  }
  // A doubtful reading is noted again when the document is found in the library.
  if (added.notes.empty()) {
    for (std::string& note : library.Show(added.id).notes)
      added.notes.emplace_back(std::move(note));
  }
  for (const Note& note : added.notes) {
    PrintNote(fmt::format("note: {}: {}", file, Worded(note)));
  }
  return added;
}

void AddReaderNotes(Library& library, std::span<const NamedDocument> documents, Answer& answer) {
  std::vector<NamedDocument> noted(documents.begin(), documents.end());
  if (documents.empty()) {
    for (const Citation& citation : answer.citations) {
      const bool known = std::any_of(noted.begin(), noted.end(), [&](const NamedDocument& each) {
        return each.id == citation.document_id;
      });
      if (!known) noted.push_back({.id = citation.document_id, .name = citation.document});
    }
  }
  std::vector<std::string> notes;
  for (const NamedDocument& document : noted) {
    for (const std::string& note : library.Show(document.id).notes) {
      notes.push_back(fmt::format("{}: {}", document.name, note));
    }
  }
  answer.notes.insert(answer.notes.begin(), notes.begin(), notes.end());
}

std::vector<NamedDocument> AddDocuments(Library& library, std::span<const std::string> files,
                                        const ReadingOptions& options,
                                        const CommandContext& context) {
  std::vector<NamedDocument> documents;
  for (const std::string& file : files) {
    documents.push_back({.id = AddFile(library, file, options, context).id, .name = file});
  }
  return documents;
}

}  // namespace tome
