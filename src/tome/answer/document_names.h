// Names and records of the documents that an answer cites.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "tome/answer/answer.h"
#include "tome/library/library.h"

namespace tome {

std::vector<DocumentId> IdsOf(std::span<const NamedDocument> documents);

// Reads each record once. The library must outlive the names.
class DocumentNames {
 public:
  DocumentNames(Library& library, std::span<const NamedDocument> asked);

  const DocumentRecord& Record(DocumentId id);
  // Returns the name that the user gave, else the first path of the document.
  std::string Name(DocumentId id);

 private:
  Library& library_;
  std::map<DocumentId, std::string> names_;
  std::map<DocumentId, DocumentRecord> records_;
};

// Estimated tokens and characters of the documents asked, or of the whole library where no
// documents are named.
struct DocumentsSize {
  uint64_t tokens = 0;
  uint64_t characters = 0;
};
DocumentsSize SizeOf(Library& library, std::span<const NamedDocument> documents,
                     DocumentNames& names);

}  // namespace tome
