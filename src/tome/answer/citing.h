// Citations: places of the documents by name, page and section, with their bytes as the quote.
#pragma once

#include <map>
#include <span>
#include <vector>

#include "tome/answer/answer.h"
#include "tome/answer/document_names.h"
#include "tome/library/library.h"

namespace tome {

// The library and `names` must outlive it.
class Citer {
 public:
  Citer(Library& library, DocumentNames& names) : library_(library), names_(names) {}

  // The citation of a span of a document's text.
  Citation Cite(DocumentId document, const TextSpan& span, double score);

 private:
  Library& library_;
  DocumentNames& names_;
  std::map<DocumentId, std::vector<Section>> sections_;  // read once each
};

}  // namespace tome
