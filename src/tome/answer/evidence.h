// Evidence: the sentences of the sources, and how well each one answers the question. Sentences are
// chosen, never generated. So a quote is right by construction: it is the bytes of its span.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tome/answer/sources.h"
#include "tome/documents/document.h"
#include "tome/text/analyzer.h"

namespace tome {

// One sentence that may be evidence, with its context. Each measure has its own unit; ScoreEvidence
// makes them comparable. A measure that was not taken is 0 in all sentences.
struct EvidenceSentence {
  size_t part = 0;  // index into Sources::parts
  TextSpan span;    // of the document's text
  // The sentence on one line, as the model gets it. Where another sentence is needed to understand
  // it, that one stands in front: the one before it if it opens with a pronoun, the line that
  // introduces its list, or the header of its table.
  std::string text;
  double words = 0;       // BM25 of the question
  double coverage = 0;    // share of the question's words, by idf, that the sentence holds
  double question = 0;    // attention from the question
  double answer = 0;      // attention from the model's provisional answer
  double likelihood = 0;  // mean ln P(question | sentence)
  double score = 0;       // the sum that ScoreEvidence makes of the measures except `coverage`
};

// Returns the sentences of all parts, in order. Headings (by the documents' sections), rows of
// dashes and texts of too few letters are left out.
std::vector<EvidenceSentence> SentencesOf(const Sources& sources, Library& library);

// Measures `words` and `coverage`. `idf` (Sources::idf) says how rare each term of the question is.
// Where it is empty, as for whole documents, rarity is counted over `sentences`. Passages that a
// search has found need `idf`: they all hold the question's rarest word, which would seem frequent.
// Does nothing for a question without letters and digits.
void ScoreWords(std::string_view question, std::span<const double> idf, Analyzer& analyzer,
                std::vector<EvidenceSentence>& sentences);

// Returns whether a text holds a letter or a digit.
bool HasWords(std::string_view text);

// Sets `score` to the sum of the z-scores of `words`, `question`, `answer` and `likelihood`. A
// z-score is the measure less its mean over the sentences, divided by its standard deviation, so
// that no unit outweighs the others. `coverage` is left out.
void ScoreEvidence(std::vector<EvidenceSentence>& sentences);

// Returns the indices of the `count` best sentences by `score`, the best first and equal scores in
// the order of the text.
std::vector<size_t> BestEvidence(std::span<const EvidenceSentence> sentences, size_t count);

}  // namespace tome
