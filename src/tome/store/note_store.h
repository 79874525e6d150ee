// NoteStore keeps what a model noted of windows of documents while it surveyed them
// (answer/survey.h), so that an interrupted survey goes on where it was. The notes of a document go
// when it is removed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tome/documents/document.h"
#include "tome/store/document_store.h"

namespace tome {

struct NoteKey {
  DocumentId document = 0;
  // All that decides what a note says but the text: question, model, size of windows, wording.
  std::string_view survey;
  // 0 for notes of a window, 1 and above for notes of notes.
  int64_t level = 0;
  TextSpan span;  // the text that the note is of
};

class NoteStore {
 public:
  virtual ~NoteStore() = default;

  // Returns the kept note. It may be empty, for a window that says nothing of the question. No value
  // where none is kept.
  virtual std::optional<std::string> Find(const NoteKey& key) = 0;
  // Keeps a note in the place of an earlier one. Does nothing where the document was removed.
  virtual void Keep(const NoteKey& key, std::string_view note) = 0;
};

}  // namespace tome
