// Evidence: the sentences of what is shown, and how well each answers the question. Sentences are
// chosen, never generated, so a quote is right by construction: it is the bytes of its span.
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

// One sentence that may be evidence, with what belongs to it. The scores are measured in units of
// their own; ScoreEvidence makes them comparable. A score that nothing measured is 0 everywhere.
struct EvidenceSentence {
  size_t part = 0;   // index into Sources::parts
  TextSpan span;     // of the document's text
  std::string text;  // as the model is given it: the span's bytes on one line, with what it needs
                     // to be understood (the sentence that a pronoun begins behind, the line that
                     // introduces a list, the header of a table) in front
  double words = 0;  // BM25 of the question
  double coverage = 0;    // share of the question's words, by idf, that the sentence holds
  double question = 0;    // attention from the question
  double answer = 0;      // attention from the model's provisional answer
  double likelihood = 0;  // mean ln P(question | sentence)
  double score = 0;       // all of them together, by ScoreEvidence
};

// The sentences of all parts, in order; headings, rows of dashes and the like are none. `sections`
// of each document tell headings.
std::vector<EvidenceSentence> SentencesOf(const Sources& sources, Library& library);

// Measures `words` and `coverage`. How rare each term of the question is, is `idf` (Sources::idf):
// sentences that a search has found hold the rarest word of all. Where it is empty, as of whole
// documents, it is counted over the sentences. Nothing for a question without words.
void ScoreWords(std::string_view question, std::span<const double> idf, Analyzer& analyzer,
                std::vector<EvidenceSentence>& sentences);

// Whether a text holds a letter or a digit.
bool HasWords(std::string_view text);

// Sets `score` to the sum of z-scores of what was measured: each score less its mean, over its
// standard deviation, so that no scale of one drowns another.
void ScoreEvidence(std::vector<EvidenceSentence>& sentences);

// The indices of the best `count` sentences by `score`, the best first, ties in order of the text.
std::vector<size_t> BestEvidence(std::span<const EvidenceSentence> sentences, size_t count);

}  // namespace tome
