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

// One sentence that may be evidence, with its context. Each score has its own unit; ScoreEvidence
// makes them comparable. A score that was not measured is 0 everywhere.
struct EvidenceSentence {
  size_t part = 0;  // index into Sources::parts
  TextSpan span;    // of the document's text
  // The span's bytes on one line, as the model gets them. In front is the sentence needed to
  // understand them: the one before an opening pronoun, the line that introduces a list, or the
  // header of a table.
  std::string text;
  double words = 0;       // BM25 of the question
  double coverage = 0;    // share of the question's words, by idf, that the sentence holds
  double question = 0;    // attention from the question
  double answer = 0;      // attention from the model's provisional answer
  double likelihood = 0;  // mean ln P(question | sentence)
  double score = 0;       // the sum of the scores by ScoreEvidence
};

// Returns the sentences of all parts, in order. Headings (by the documents' sections), rows of
// dashes and texts of too few letters are left out.
std::vector<EvidenceSentence> SentencesOf(const Sources& sources, Library& library);

// Measures `words` and `coverage`. `idf` (Sources::idf) says how rare each term of the question is.
// Where it is empty, as for whole documents, rarity is counted over the sentences; those that a
// search has found would not tell, because they all hold the rarest word. Does nothing for a
// question without words.
void ScoreWords(std::string_view question, std::span<const double> idf, Analyzer& analyzer,
                std::vector<EvidenceSentence>& sentences);

// Returns whether a text holds a letter or a digit.
bool HasWords(std::string_view text);

// Sets `score` to the sum of z-scores of all measured scores: each score less its mean, divided by
// its standard deviation, so that no scale outweighs the others.
void ScoreEvidence(std::vector<EvidenceSentence>& sentences);

// Returns the indices of the `count` best sentences by `score`, the best first and equal scores in
// the order of the text.
std::vector<size_t> BestEvidence(std::span<const EvidenceSentence> sentences, size_t count);

}  // namespace tome
