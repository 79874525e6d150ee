// How the documents of an answer are called, and what is known of them.
#pragma once

#include <map>
#include <span>
#include <string>

#include "tome/answer/answer.h"
#include "tome/library/library.h"

namespace tome {

// Records are read once each. The library must outlive it.
class DocumentNames {
 public:
  DocumentNames(Library& library, std::span<const NamedDocument> asked);

  const DocumentRecord& Record(DocumentId id);
  // As the user named it, else its first path.
  std::string Name(DocumentId id);

 private:
  Library& library_;
  std::map<DocumentId, std::string> names_;
  std::map<DocumentId, DocumentRecord> records_;
};

// Estimated tokens and characters of the documents asked; of the whole library when there are none.
struct DocumentsSize {
  uint64_t tokens = 0;
  uint64_t characters = 0;
};
DocumentsSize SizeOf(Library& library, std::span<const NamedDocument> documents,
                     DocumentNames& names);

}  // namespace tome
