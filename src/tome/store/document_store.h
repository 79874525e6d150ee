// DocumentStore keeps the documents of a shelf: where each came from, its text, its pages and
// sections, and the passages that it is searched in.
//
// A document is a distinct content, read in one way; its files are the paths that gave it. Passages
// have numbers across all documents. Those of one document follow each other without a gap
// (DocumentRecord::passages), and a number is not given again while its document is there.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tome/base/file.h"
#include "tome/documents/document.h"
#include "tome/documents/passages.h"

namespace tome {

using DocumentId = int64_t;
using PassageId = int64_t;

// The passages `first` to `last`, both included. The range is empty where last < first.
struct PassageRange {
  PassageId first = 0;
  PassageId last = -1;

  friend bool operator==(const PassageRange&, const PassageRange&) = default;
};

// A stored document, without its text.
struct DocumentRecord {
  DocumentId id = 0;
  std::string hash;  // of the file's bytes, 32 hexadecimal digits
  std::string format;
  std::string encoding;
  std::string title;
  LineBreaks line_breaks = LineBreaks::kHard;
  uint64_t file_bytes = 0;
  uint64_t text_bytes = 0;
  uint64_t characters = 0;  // code points of the text
  uint64_t pages = 0;
  PassageRange passages;
  uint64_t tokens = 0;             // estimated
  std::string added_at;            // UTC, ISO 8601
  std::vector<std::string> notes;  // of the reader, without their advice
  std::vector<std::string> paths;  // of the files that gave it, sorted
};

// How a file was read: another reader, or the same one with other settings, may give another
// document for it.
struct Reading {
  std::string_view reader;    // version of the readers
  std::string_view settings;  // options that change what a reader gives; empty for the default
};

// All that a new document brings. What it refers to must live as long as the call.
struct NewDocument {
  std::string_view hash;  // of the file's bytes, as bytes
  Reading reading;
  uint64_t file_bytes = 0;
  const Document& document;
  std::span<const Passage> passages;  // at least one
};

struct StoredPassage {
  PassageId id = 0;
  DocumentId document = 0;
  TextSpan span;
  int64_t section = kNoParent;  // index of Sections(document)
  uint32_t tokens = 0;          // estimated
};

// A page by its number, from 1, and its printed label (Page::label).
struct PageRecord {
  int64_t number = 0;
  std::string label;
};

class DocumentStore {
 public:
  virtual ~DocumentStore() = default;

  // Returns all documents in the order in which they were added.
  virtual std::vector<DocumentRecord> List() = 0;
  virtual std::optional<DocumentRecord> Find(DocumentId id) = 0;
  // Throws Error(kNotFound) for an unknown document.
  DocumentRecord Read(DocumentId id);

  // Return the document that a content, or an unchanged file, gave when it was read in this way.
  // With empty settings any reading will do, the default one first.
  virtual std::optional<DocumentId> FindByContent(std::string_view hash,
                                                  const Reading& reading) = 0;
  virtual std::optional<DocumentId> FindByFile(const std::string& path, const FileStamp& stamp,
                                               const Reading& reading) = 0;

  // Adds a document, without files, and gives its passages their numbers.
  virtual DocumentRecord Insert(const NewDocument& document) = 0;
  // Removes a document, its files, and all that is stored of it but its postings.
  virtual void Remove(DocumentId id) = 0;

  // Notes that a file gave a document, instead of the document that it gave before. Returns that
  // one, if there was one.
  virtual std::optional<DocumentId> LinkFile(const std::string& path, DocumentId id,
                                             const FileStamp& stamp) = 0;
  // Returns the document that a file gave when it was last read, changed since or not.
  virtual std::optional<DocumentId> FindByPath(const std::string& path) = 0;
  // Forgets that a file gave a document. Returns the document, if there was one; it stays.
  virtual std::optional<DocumentId> UnlinkFile(const std::string& path) = 0;

  // Returns the bytes of a span of a document's text. Throws Error(kCorrupt) where the store does
  // not hold all of them.
  virtual std::string Text(DocumentId id, const TextSpan& span) = 0;

  virtual std::vector<Section> Sections(DocumentId id) = 0;
  // Returns the sections that begin in a span, in the order of the text.
  virtual std::vector<Section> SectionsBeginningIn(DocumentId id, const TextSpan& span) = 0;
  // Returns "Part > Chapter > Section" for the section with this index; empty for kNoParent.
  virtual std::string SectionPath(DocumentId id, int64_t section) = 0;

  virtual std::vector<Page> Pages(DocumentId id) = 0;
  // Returns the last page that begins at or before byte `offset` of the text, as PageAt does; empty
  // where none does.
  virtual std::optional<PageRecord> PageOf(DocumentId id, uint64_t offset) = 0;

  // Returns the range of all numbers of passages that were given. Some may be those of removed
  // documents.
  virtual PassageRange AllPassages() = 0;
  virtual std::vector<Passage> PassagesOf(const DocumentRecord& document) = 0;
  // Returns the passages with these numbers, in this order. Throws Error(kCorrupt) where one is not
  // stored.
  virtual std::vector<StoredPassage> ReadPassages(std::span<const PassageId> ids) = 0;
};

// Throws the Error(kNotFound) of a document that is named and not there.
[[noreturn]] void FailUnknownDocument(std::string_view name);

}  // namespace tome
