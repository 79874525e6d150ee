#include "tome/retrieval/excerpt.h"

#include <algorithm>
#include <bitset>
#include <limits>
#include <string>

#include "tome/documents/passages.h"
#include "tome/retrieval/question.h"
#include "tome/store/term_stream.h"

namespace tome {
namespace {

// The value that one more token must add, as a share of the value of the whole question. A sentence
// of thirty tokens is added where it adds at least 3 %.
constexpr double kCostPerToken = 0.001;

using TermSet = std::bitset<kMaxQuestionTerms>;

// The terms at a position of a text: a word or a character, and the pair that begins there.
struct Position {
  std::string term;
  std::string pair;
};

std::vector<Position> PositionsOf(std::string_view text, Analyzer& analyzer) {
  std::vector<Position> positions;
  analyzer.Analyze(text, [&](const Term& term) {
    if (term.kind == TermKind::kBigram) {
      positions.back().pair = term.text;
    } else {
      positions.push_back({.term = std::string(term.text), .pair = {}});
    }
  });
  return positions;
}

std::vector<std::string> TermsOf(std::string_view stream) {
  std::vector<std::string> terms;
  std::string_view term;
  bool colocated = false;
  while (NextTerm(stream, term, colocated)) terms.emplace_back(term);
  return terms;
}

bool Holds(const std::vector<Position>& positions, const std::vector<std::string>& phrase) {
  const auto same = [](const Position& position, const std::string& term) {
    return position.term == term || position.pair == term;
  };
  return std::search(positions.begin(), positions.end(), phrase.begin(), phrase.end(), same) !=
         positions.end();
}

struct Sentence {
  TextSpan span;
  uint64_t tokens;
  TermSet terms;
};

double ValueOf(const TermSet& set, std::span<const TermValue> terms) {
  double value = 0;
  for (size_t i = 0; i < terms.size(); ++i) {
    if (set[i]) value += terms[i].value;
  }
  return value;
}

// The sentences `first` to `last`, both included.
struct Run {
  size_t first = 0;
  size_t last = 0;
};

uint64_t TokensOf(const std::vector<Sentence>& sentences, const Run& run) {
  uint64_t tokens = 0;
  for (size_t i = run.first; i <= run.last; ++i) tokens += sentences[i].tokens;
  return tokens;
}

// Returns the run of sentences with the greatest value less its cost.
Run BestRun(const std::vector<Sentence>& sentences, std::span<const TermValue> terms) {
  double total = 0;
  for (const TermValue& term : terms) total += term.value;
  if (total <= 0) total = 1;
  Run best;
  double best_value = -std::numeric_limits<double>::infinity();
  for (size_t first = 0; first < sentences.size(); ++first) {
    TermSet set;
    uint64_t tokens = 0;
    for (size_t last = first; last < sentences.size(); ++last) {
      tokens += sentences[last].tokens;
      if (last > first && tokens > kQuoteTokens) break;
      set |= sentences[last].terms;
      const double value =
          ValueOf(set, terms) / total - kCostPerToken * static_cast<double>(tokens);
      if (value > best_value) {
        best_value = value;
        best = {.first = first, .last = last};
      }
    }
  }
  return best;
}

// Returns `run` with the sentence after it, where that stands in the same paragraph and fits
// kQuoteTokens.
Run WithNext(std::string_view text, const std::vector<Sentence>& sentences, const Run& run) {
  const Run longer{.first = run.first, .last = run.last + 1};
  if (longer.last >= sentences.size() || TokensOf(sentences, longer) > kQuoteTokens) return run;
  const uint64_t end = sentences[run.last].span.end;
  const std::string_view gap = text.substr(end, sentences[longer.last].span.begin - end);
  return gap.find("\n\n") == std::string_view::npos ? longer : run;
}

}  // namespace

TextSpan Excerpter::Trim(std::string_view text, const TextSpan& passage,
                         std::span<const TextSpan> headings, LineBreaks line_breaks,
                         std::span<const TermValue> terms) {
  terms = terms.first(std::min(terms.size(), kMaxQuestionTerms));
  std::vector<std::vector<std::string>> phrases;
  phrases.reserve(terms.size());
  for (const TermValue& term : terms) phrases.push_back(TermsOf(term.stream));

  const auto in_heading = [&](const TextSpan& span) {
    return std::any_of(headings.begin(), headings.end(), [&](const TextSpan& heading) {
      return span.begin >= heading.begin && span.end <= heading.end;
    });
  };
  std::vector<Sentence> sentences;
  for (const TextSpan& span : Sentences(text, passage, line_breaks, splitter_)) {
    if (in_heading(span)) continue;
    const std::string_view sentence = text.substr(span.begin, span.size());
    const std::vector<Position> positions = PositionsOf(sentence, analyzer_);
    TermSet found;
    for (size_t i = 0; i < phrases.size(); ++i) found[i] = Holds(positions, phrases[i]);
    sentences.push_back({.span = span, .tokens = EstimateTokens(sentence), .terms = found});
  }
  if (sentences.empty()) return passage;
  const Run run = WithNext(text, sentences, BestRun(sentences, terms));
  return {.begin = sentences[run.first].span.begin, .end = sentences[run.last].span.end};
}

}  // namespace tome
