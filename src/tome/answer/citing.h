// Makes citations: places in documents by name, page and section, with their bytes as the quote.
#pragma once

#include <map>
#include <span>
#include <vector>

#include "tome/answer/answer.h"
#include "tome/answer/document_names.h"
#include "tome/library/library.h"

namespace tome {

// The library and `names` must outlive the citer.
class Citer {
 public:
  Citer(Library& library, DocumentNames& names) : library_(library), names_(names) {}

  // Returns the citation of a span of a document's text.
  Citation Cite(DocumentId document, const TextSpan& span, double score);

 private:
  Library& library_;
  DocumentNames& names_;
  std::map<DocumentId, std::vector<Section>> sections_;  // each document's are read once
};

}  // namespace tome
