// The way `quotes`: without a model, the best passages of the documents are the answer.
#pragma once

#include <span>
#include <string>

#include "tome/answer/answer.h"
#include "tome/base/progress.h"
#include "tome/library/library.h"
#include "tome/retrieval/dense_search.h"

namespace tome {

inline constexpr int kDefaultQuotes = 5;
inline constexpr int kMaxQuotes = 100;

// The reason why the passages themselves are the answer.
enum class WhyQuotes { kNoModel, kAskedFor };

struct QuotesOptions {
  int top = kDefaultQuotes;  // quotes at most, 1 to kMaxQuotes
  WhyQuotes why = WhyQuotes::kNoModel;
  const DenseSearch* dense = nullptr;  // vectors of the documents; null: words alone find
};

// Finds the places that answer, and quotes of each the sentences that answer with the text around
// them (retrieval/excerpt.h). A place is left out where a better quote shows it or says the same.
// Without `documents` it asks the whole library. An answer without citations says in its notes why
// nothing was found. Throws Error(kInvalidArgument) for a question without words, and
// Error(kCancelled).
Answer AnswerWithQuotes(Library& library, const std::string& question,
                        std::span<const NamedDocument> documents, const QuotesOptions& options,
                        const WorkControl& control);

}  // namespace tome
