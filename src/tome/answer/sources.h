// Sources: the texts that a model is given to answer from, in the order of the documents.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "tome/answer/document_names.h"
#include "tome/documents/document.h"
#include "tome/library/library.h"

namespace tome {

struct SourceText {
  DocumentId document = 0;
  TextSpan span;        // of the document's text
  std::string text;     // exactly the bytes of the span
  std::string section;  // path of the section in which the part begins; empty for whole documents
  double score = 0;     // of the search; 1 for whole documents
};

struct Sources {
  std::vector<SourceText> parts;  // in the order of the documents
  // For each term of the question (ParseQuestion), its idf among the passages of the documents.
  // Empty for whole documents.
  std::vector<double> idf = {};
  bool whole = false;  // the parts are all of the documents
  double search_seconds = 0;

  uint64_t characters() const;  // code points
};

Sources WholeDocuments(Library& library, std::span<const NamedDocument> documents);

// Returns the number of a model's tokens in a text.
using CountTokensOf = std::function<int64_t(std::string_view text)>;

// Returns the places that a search ranks best, up to `most_tokens` tokens together: by the
// question's words, and by meaning too where `dense` is given. Places that overlap are one part. The best place is always among them. Without `documents` it searches the whole library.
// Throws Error(kInvalidArgument) for a question without words.
Sources FindPassages(Library& library, std::span<const NamedDocument> documents,
                     std::string_view question, int64_t most_tokens, const CountTokensOf& count,
                     const DenseSearch* dense = nullptr);

}  // namespace tome
