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
// What each further sentence on one side costs, in the same unit, so that a quote grows on both
// sides.
constexpr double kStepCost = 0.15;

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
  uint64_t tokens = 0;
  uint64_t columns = 0;  // with the white space before it
  TermSet terms;
  bool in_place = false;
  bool is_heading = false;
  bool is_taken = false;
};

// The sentences `first` to `last`, both included.
struct Run {
  size_t first = 0;
  size_t last = 0;
};

bool Overlap(const TextSpan& a, const TextSpan& b) { return a.begin < b.end && b.begin < a.end; }

// Cuts one quote.
class QuoteCutter {
 public:
  QuoteCutter(const ExcerptSource& source, std::span<const TermValue> terms,
              std::span<const TextSpan> taken, Analyzer& analyzer, SentenceSplitter& splitter)
      : source_(source),
        terms_(terms.first(std::min(terms.size(), kMaxQuestionTerms))),
        taken_(taken),
        analyzer_(analyzer),
        splitter_(splitter) {
    for (const TermValue& term : terms_) {
      phrases_.push_back(TermsOf(term.stream));
      total_ += term.value;
    }
    if (total_ <= 0) total_ = 1;
    ReadSentences();
  }

  std::optional<Quote> Cut() {
    std::optional<Run> run = Focus();
    if (!run) return std::nullopt;
    const TextSpan focus = SpanOf(*run);
    Grow(*run);
    return Quote{.span = SpanOf(*run), .focus = focus};
  }

 private:
  void ReadSentences() {
    const uint64_t end = source_.text.size();
    // The three parts are split by themselves, because the place's borders are borders of
    // sentences even where the rules see none, in a table without punctuation.
    AddSentences({.begin = 0, .end = source_.place.begin}, false);
    if (source_.cut_before && !sentences_.empty()) sentences_.erase(sentences_.begin());
    AddSentences(source_.place, true);
    AddSentences({.begin = source_.place.end, .end = end}, false);
    if (source_.cut_after && !sentences_.empty() && !sentences_.back().in_place) {
      sentences_.pop_back();
    }
  }

  void AddSentences(const TextSpan& part, bool in_place) {
    for (const TextSpan& span : Sentences(source_.text, part, source_.line_breaks, splitter_)) {
      const std::string_view text = source_.text.substr(span.begin, span.size());
      const TokenCount count = CountTokens(text);
      const uint64_t space = sentences_.empty() ? 0 : span.begin - sentences_.back().span.end;
      Sentence sentence{.span = span,
                        .tokens = count.tokens(),
                        .columns = space + 2 * count.cjk + count.others,
                        .terms = {},
                        .in_place = in_place,
                        .is_heading = Lies(span, source_.headings),
                        .is_taken = std::ranges::any_of(
                            taken_, [&](const TextSpan& other) { return Overlap(span, other); })};
      const std::vector<Position> positions = PositionsOf(text, analyzer_);
      for (size_t i = 0; i < phrases_.size(); ++i)
        sentence.terms[i] = Holds(positions, phrases_[i]);
      sentences_.push_back(sentence);
    }
  }

  static bool Lies(const TextSpan& span, std::span<const TextSpan> headings) {
    return std::ranges::any_of(headings, [&](const TextSpan& heading) {
      return span.begin >= heading.begin && span.end <= heading.end;
    });
  }

  // Returns the share of the question's value that the terms of a set have.
  double ShareOf(const TermSet& set) const {
    double value = 0;
    for (size_t i = 0; i < terms_.size(); ++i) {
      if (set[i]) value += terms_[i].value;
    }
    return value / total_;
  }

  TextSpan SpanOf(const Run& run) const {
    return {.begin = sentences_[run.first].span.begin, .end = sentences_[run.last].span.end};
  }

  // Returns the focus without the ends that are taken. Empty where half of it is.
  std::optional<Run> Focus() const {
    std::vector<size_t> candidates;
    for (size_t i = 0; i < sentences_.size(); ++i) {
      if (sentences_[i].in_place && !sentences_[i].is_heading) candidates.push_back(i);
    }
    if (candidates.empty()) {
      for (size_t i = 0; i < sentences_.size(); ++i) {
        if (sentences_[i].in_place) candidates.push_back(i);
      }
      if (candidates.empty()) return std::nullopt;
      return Untaken({.first = candidates.front(), .last = candidates.back()});
    }
    return Untaken(BestRun(candidates));
  }

  std::optional<Run> Untaken(Run run) const {
    const auto is_taken = [&](size_t i) { return sentences_[i].is_taken; };
    size_t count = 0;
    for (size_t i = run.first; i <= run.last; ++i) count += is_taken(i) ? 1 : 0;
    if (2 * count >= run.last - run.first + 1) return std::nullopt;
    while (is_taken(run.first)) ++run.first;
    while (is_taken(run.last)) --run.last;
    for (size_t i = run.first; i <= run.last; ++i) {
      if (!is_taken(i)) continue;
      run.last = i - 1;  // a quote that stands in the midst of this one
      break;
    }
    return run;
  }

  // Returns the run of these sentences with the greatest value less its cost.
  Run BestRun(std::span<const size_t> candidates) const {
    const bool by_words = source_.found_by == FoundBy::kWords;
    Run best{.first = candidates.front(), .last = candidates.front()};
    double best_value = -std::numeric_limits<double>::infinity();
    for (size_t first = 0; first < candidates.size(); ++first) {
      TermSet set;
      uint64_t tokens = 0;
      uint64_t columns = 0;
      for (size_t last = first; last < candidates.size(); ++last) {
        const Sentence& sentence = sentences_[candidates[last]];
        tokens += sentence.tokens;
        columns += sentence.columns;
        const bool fits = by_words ? tokens <= kFocusTokens : columns <= kQuoteColumns;
        if (last > first && !fits) break;
        set |= sentence.terms;
        // By meaning, each sentence has a value, so that the longest run wins among equal ones.
        const double per_token = by_words ? -kCostPerToken : kCostPerToken;
        const double value = ShareOf(set) + per_token * static_cast<double>(tokens);
        if (value > best_value) {
          best_value = value;
          best = {.first = candidates[first], .last = candidates[last]};
        }
      }
    }
    return best;
  }

  // Takes in sentences on both sides, those with terms of the question first and otherwise evenly.
  void Grow(Run& run) const {
    const TextSpan limits = SectionsOf(SpanOf(run));
    uint64_t columns = 0;
    for (size_t i = run.first; i <= run.last; ++i) columns += sentences_[i].columns;
    // A heading is shown as the section of the citation.
    const auto fits = [&](size_t i) {
      return i < sentences_.size() && !sentences_[i].is_taken && !sentences_[i].is_heading &&
             sentences_[i].span.begin >= limits.begin && sentences_[i].span.end <= limits.end &&
             columns + sentences_[i].columns <= kQuoteColumns;
    };
    const size_t first = run.first;
    const size_t last = run.last;
    for (;;) {
      // The index before the first sentence wraps around and fits nothing.
      const bool before = fits(run.first - 1);
      const bool after = fits(run.last + 1);
      if (!before && !after) return;
      const auto value = [&](size_t i, size_t steps) {
        return ShareOf(sentences_[i].terms) - kStepCost * static_cast<double>(steps);
      };
      if (after && (!before || value(run.last + 1, run.last - last) >=
                                   value(run.first - 1, first - run.first))) {
        ++run.last;
        columns += sentences_[run.last].columns;
      } else {
        --run.first;
        columns += sentences_[run.first].columns;
      }
    }
  }

  // Returns the sections that a span lies in, as far as the text holds them.
  TextSpan SectionsOf(const TextSpan& span) const {
    TextSpan limits{.begin = 0, .end = source_.text.size()};
    for (const uint64_t begin : source_.section_begins) {
      if (begin <= span.begin) limits.begin = begin;
      if (begin >= span.end) {
        limits.end = begin;
        break;
      }
    }
    return limits;
  }

  const ExcerptSource& source_;
  std::span<const TermValue> terms_;
  std::span<const TextSpan> taken_;
  Analyzer& analyzer_;
  SentenceSplitter& splitter_;
  std::vector<std::vector<std::string>> phrases_;  // of each term
  double total_ = 0;                               // the value of all terms
  std::vector<Sentence> sentences_;
};

}  // namespace

std::optional<Quote> Excerpter::Cut(const ExcerptSource& source, std::span<const TermValue> terms,
                                    std::span<const TextSpan> taken) {
  return QuoteCutter(source, terms, taken, analyzer_, splitter_).Cut();
}

}  // namespace tome
