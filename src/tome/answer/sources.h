// What a model is shown of the documents: texts that stand one after the other in them.
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
  std::string section;  // path of the section that the part begins in; empty for whole documents
  double score = 0;     // of the search; 1 for whole documents
};

struct Sources {
  std::vector<SourceText> parts;  // in the order of the documents
  // Of the question's terms (ParseQuestion), how rare each is among the passages of the documents.
  std::vector<double> idf = {};
  bool whole = false;  // the parts are the documents, nothing is left out
  double search_seconds = 0;

  uint64_t characters() const;  // code points
};

// All of the documents.
Sources WholeDocuments(Library& library, std::span<const NamedDocument> documents);

// Counts a model's tokens of a text.
using CountTokensOf = std::function<int64_t(std::string_view text)>;

// The passages that a search by the question's words finds best, up to `most_tokens` of them in
// all, at least one where anything is found. With no documents given, of the whole library.
// Error(kInvalidArgument) for a question without words.
Sources FindPassages(Library& library, std::span<const NamedDocument> documents,
                     std::string_view question, int64_t most_tokens, const CountTokensOf& count);

}  // namespace tome
