#include "tome/answer/evidence.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <set>
#include <utility>

#include "tome/documents/passages.h"
#include "tome/retrieval/question.h"
#include "tome/store/term_stream.h"
#include "tome/text/sentences.h"
#include "tome/text/unicode.h"

namespace tome {
namespace {

// A sentence of less weight says nothing by itself: an enumerator, a page's number, "See below."
constexpr uint64_t kLeastWeight = 8;
// Longest sentence, in bytes, that is put in front of another one as its context.
constexpr uint64_t kMostContext = 400;

// Returns the weight of a text: two for a CJK character, one for any other letter or digit.
uint64_t WeightOf(std::string_view text) {
  uint64_t weight = 0;
  for (uint64_t offset = 0; offset < text.size();) {
    const char32_t c = NextCodePoint(text, offset);
    weight += IsCjk(c) ? 2 : IsLetterOrDigit(c) ? 1 : 0;
  }
  return weight;
}

// Words that point back to the sentence before, in lower case. English ones must be whole words.
constexpr std::array<std::string_view, 24> kPointingBack{
    "he",   "she",  "it",    "they",  "his",  "her",     "its",   "their",
    "this", "that", "these", "those", "such", "then",    "there", "here",
    "him",  "them", "so",    "thus",  "both", "neither", "hence", "therefore"};
constexpr std::array<std::string_view, 12> kPointingBackCjk{
    "他", "她", "它", "这", "那", "其", "该", "此", "因此", "所以", "於是", "于是"};

bool PointsBack(std::string_view sentence) {
  for (const std::string_view word : kPointingBackCjk) {
    if (sentence.starts_with(word)) return true;
  }
  const size_t end = sentence.find_first_of(" ,'");
  if (end == std::string_view::npos) return false;
  const std::string first = LowerAscii(sentence.substr(0, end));
  return std::find(kPointingBack.begin(), kPointingBack.end(), first) != kPointingBack.end();
}

bool IntroducesList(std::string_view sentence) {
  return sentence.ends_with(':') || sentence.ends_with("：");
}

// Returns whether a sentence is an item of a list or a row of a table, explained by a line before.
bool IsListItem(std::string_view sentence) {
  static constexpr std::array<std::string_view, 6> kMarks{"- ", "* ", "• ", "· ", "– ", "| "};
  for (const std::string_view mark : kMarks) {
    if (sentence.starts_with(mark)) return true;
  }
  size_t digits = 0;
  while (digits < sentence.size() && digits < 3 && sentence[digits] >= '0' &&
         sentence[digits] <= '9')
    ++digits;
  return digits > 0 && digits + 1 < sentence.size() &&
         (sentence[digits] == '.' || sentence[digits] == ')') && sentence[digits + 1] == ' ';
}

// The sentences of one part, each with the sentence that it needs to be understood.
class PartSentences {
 public:
  PartSentences(size_t part, const SourceText& source, std::vector<TextSpan> spans)
      : part_(part), source_(source), spans_(std::move(spans)) {}

  void AddTo(std::vector<EvidenceSentence>& all) const {
    for (size_t i = 0; i < spans_.size(); ++i) {
      const TextSpan& span = spans_[i];
      const std::string_view text = View(span);
      if (WeightOf(text) < kLeastWeight) continue;
      std::string in_context = CollapseWhiteSpace(text);
      if (const auto context = ContextOf(i)) {
        in_context = CollapseWhiteSpace(View(spans_[*context])) + " " + in_context;
      }
      all.push_back(
          {.part = part_,
           .span = {.begin = source_.span.begin + span.begin, .end = source_.span.begin + span.end},
           .text = std::move(in_context)});
    }
  }

 private:
  std::string_view View(const TextSpan& span) const {
    return std::string_view(source_.text).substr(span.begin, span.size());
  }

  bool InOneParagraph(size_t first, size_t second) const {
    const uint64_t end = spans_[first].end;
    return View({.begin = end, .end = spans_[second].begin}).find("\n\n") == std::string_view::npos;
  }

  // Returns the sentence that has to stand in front of sentence `i`, if any.
  std::optional<size_t> ContextOf(size_t i) const {
    if (i == 0) return std::nullopt;
    const std::string_view text = View(spans_[i]);
    std::optional<size_t> context;
    if (IsListItem(text)) {
      for (size_t j = i; j-- > 0;) {
        if (spans_[i].begin - spans_[j].end > 4 * kMostContext) break;
        if (IntroducesList(View(spans_[j]))) {
          context = j;
          break;
        }
        if (text.starts_with("| ") && InOneParagraph(j, i) &&
            (j == 0 || !InOneParagraph(j - 1, j))) {
          context = j;  // the first row of a table is its header
          break;
        }
      }
    } else if ((PointsBack(text) && InOneParagraph(i - 1, i)) ||
               IntroducesList(View(spans_[i - 1]))) {
      context = i - 1;
    }
    return context && spans_[*context].size() <= kMostContext ? context : std::nullopt;
  }

  size_t part_;
  const SourceText& source_;
  std::vector<TextSpan> spans_;
};

// Returns whether a sentence is the heading of a section: it begins with the section and is hardly
// longer than the section's title.
bool IsHeading(std::span<const Section> sections, uint64_t begin, std::string_view sentence) {
  const auto section =
      std::partition_point(sections.begin(), sections.end(),
                           [&](const Section& each) { return each.span.begin < begin; });
  return section != sections.end() && section->span.begin == begin &&
         sentence.size() <= section->title.size() + 16;
}

// A query term of the question that is a single term of the analyzer, and its weight.
struct QuestionTerm {
  std::string term;
  double weight = 0;
  size_t index = 0;  // in Question::terms
};

std::vector<QuestionTerm> QuestionTerms(const Question& question) {
  std::vector<QuestionTerm> terms;
  for (size_t i = 0; i < question.terms.size(); ++i) {
    const QueryTerm& query = question.terms[i];
    std::string_view stream = query.stream;
    std::string_view term;
    bool colocated = false;
    std::vector<std::string> parts;
    while (NextTerm(stream, term, colocated)) parts.emplace_back(term);
    // Phrases are left out. Their words are query terms as well.
    if (parts.size() == 1)
      terms.push_back({.term = parts.front(), .weight = query.weight, .index = i});
  }
  return terms;
}

void AddZScores(std::vector<EvidenceSentence>& sentences, double EvidenceSentence::*measure) {
  const auto count = static_cast<double>(sentences.size());
  double mean = 0;
  for (const EvidenceSentence& sentence : sentences) mean += sentence.*measure / count;
  double variance = 0;
  for (const EvidenceSentence& sentence : sentences) {
    variance += std::pow(sentence.*measure - mean, 2) / count;
  }
  const double deviation = std::sqrt(variance);
  if (!(deviation > 0)) return;
  for (EvidenceSentence& sentence : sentences) {
    sentence.score += (sentence.*measure - mean) / deviation;
  }
}

}  // namespace

std::vector<EvidenceSentence> SentencesOf(const Sources& sources, Library& library) {
  SentenceSplitter splitter;
  std::map<DocumentId, std::vector<Section>> sections;
  std::map<DocumentId, LineBreaks> line_breaks;
  std::vector<EvidenceSentence> sentences;
  for (size_t i = 0; i < sources.parts.size(); ++i) {
    const SourceText& part = sources.parts[i];
    if (!sections.contains(part.document)) {
      sections.emplace(part.document, library.Sections(part.document));
      line_breaks.emplace(part.document, library.Show(part.document).line_breaks);
    }
    std::vector<TextSpan> spans = Sentences(part.text, {.begin = 0, .end = part.text.size()},
                                            line_breaks[part.document], splitter);
    std::erase_if(spans, [&](const TextSpan& span) {
      return IsHeading(sections[part.document], part.span.begin + span.begin,
                       std::string_view(part.text).substr(span.begin, span.size()));
    });
    PartSentences(i, part, std::move(spans)).AddTo(sentences);
  }
  return sentences;
}

bool HasWords(std::string_view text) { return WeightOf(text) > 0; }

void ScoreWords(std::string_view question_text, std::span<const double> known_idf,
                Analyzer& analyzer, std::vector<EvidenceSentence>& sentences) {
  if (!HasWords(question_text)) return;
  constexpr double kK1 = 1.2;
  constexpr double kB = 0.75;
  const Question question = ParseQuestion(question_text, analyzer);
  const std::vector<QuestionTerm> terms = QuestionTerms(question);
  const auto n = static_cast<double>(sentences.size());
  std::vector<std::vector<double>> counts;  // [sentences, terms]
  std::vector<double> lengths;
  double mean_length = 0;
  std::vector<double> holders(terms.size(), 0);  // sentences that hold each term
  for (const EvidenceSentence& sentence : sentences) {
    const std::vector<std::string> words = TermsOf(sentence.text, analyzer);
    std::vector<double>& count = counts.emplace_back(terms.size(), 0);
    for (size_t t = 0; t < terms.size(); ++t) {
      count[t] = static_cast<double>(std::count(words.begin(), words.end(), terms[t].term));
      holders[t] += count[t] > 0 ? 1 : 0;
    }
    lengths.push_back(static_cast<double>(words.size()));
    mean_length += lengths.back() / n;
  }
  std::vector<double> idf(terms.size());
  double total = 0;
  for (size_t t = 0; t < terms.size(); ++t) {
    idf[t] = terms[t].weight * (terms[t].index < known_idf.size()
                                    ? known_idf[terms[t].index]
                                    : std::log(1 + (n - holders[t] + 0.5) / (holders[t] + 0.5)));
    total += idf[t];
  }
  for (size_t i = 0; i < sentences.size(); ++i) {
    double covered = 0;
    sentences[i].words = 0;
    for (size_t t = 0; t < terms.size(); ++t) {
      const double f = counts[i][t];
      if (f == 0) continue;
      sentences[i].words +=
          idf[t] * f * (kK1 + 1) / (f + kK1 * (1 - kB + kB * lengths[i] / mean_length));
      covered += idf[t];
    }
    sentences[i].coverage = total > 0 ? covered / total : 0;
  }
}

void ScoreEvidence(std::vector<EvidenceSentence>& sentences) {
  for (EvidenceSentence& sentence : sentences) sentence.score = 0;
  for (double EvidenceSentence::*measure :
       {&EvidenceSentence::words, &EvidenceSentence::question, &EvidenceSentence::answer,
        &EvidenceSentence::likelihood}) {
    AddZScores(sentences, measure);
  }
}

std::vector<size_t> BestEvidence(std::span<const EvidenceSentence> sentences, size_t count) {
  std::vector<size_t> order(sentences.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return sentences[a].score > sentences[b].score; });
  order.resize(std::min(count, order.size()));
  return order;
}

}  // namespace tome
