#include "tome/answer/support.h"

#include <algorithm>
#include <set>

#include "tome/text/sentences.h"
#include "tome/text/unicode.h"

namespace tome {
namespace {

bool HasDigit(std::string_view term) {
  return term.find_first_of("0123456789") != std::string_view::npos;
}

// Returns whether a word of the Latin script begins with a capital and does not begin a sentence.
bool IsName(std::string_view text, uint64_t begin) {
  const char first = text[begin];
  if (first < 'A' || first > 'Z') return false;
  size_t before = begin;
  while (before > 0 && (text[before - 1] == ' ' || text[before - 1] == '"')) --before;
  return before > 0 && std::string_view(".!?:\n").find(text[before - 1]) == std::string_view::npos;
}

std::set<std::string> TermSetOf(std::string_view text, Analyzer& analyzer) {
  const std::vector<std::string> terms = TermsOf(text, analyzer);
  return {terms.begin(), terms.end()};
}

}  // namespace

std::string_view NameOf(Support support) {
  switch (support) {
    case Support::kSupported:
      return "supported";
    case Support::kPartly:
      return "partly";
    case Support::kNone:
      return "none";
  }
  return "";
}

std::vector<std::string> MissingFrom(std::string_view answer, std::string_view evidence,
                                     std::string_view question, Analyzer& analyzer) {
  std::set<std::string> known = TermSetOf(evidence, analyzer);
  known.merge(TermSetOf(question, analyzer));
  std::vector<std::string> missing;
  analyzer.Analyze(answer, [&](const Term& term) {
    if (term.kind != TermKind::kWord || known.contains(std::string(term.text))) return;
    if (!HasDigit(term.text) && !IsName(answer, term.begin)) return;
    std::string word(answer.substr(term.begin, term.end - term.begin));
    if (std::find(missing.begin(), missing.end(), word) == missing.end()) {
      missing.push_back(std::move(word));
    }
  });
  return missing;
}

std::string WithoutRambling(std::string_view answer, std::string_view evidence,
                            std::string_view question, Analyzer& analyzer) {
  constexpr double kHeld = 0.6;
  std::set<std::string> known = TermSetOf(evidence, analyzer);
  known.merge(TermSetOf(question, analyzer));
  SentenceSplitter splitter;
  std::string kept;
  size_t begin = 0;
  for (const uint64_t end : splitter.Ends(answer)) {
    const std::string_view sentence = answer.substr(begin, end - begin);
    begin = end;
    size_t terms = 0;
    size_t held = 0;
    for (const std::string& term : TermSetOf(sentence, analyzer)) {
      ++terms;
      held += known.contains(term) ? 1 : 0;
    }
    const bool rambles = static_cast<double>(held) < kHeld * static_cast<double>(terms) ||
                         !MissingFrom(sentence, evidence, question, analyzer).empty();
    if (kept.empty() || !rambles) kept += sentence;
  }
  return CollapseWhiteSpace(kept);
}

void LeaveOutUnsupported(Answer& answer) {
  std::string text;
  std::vector<SentenceSupport> sentences;
  for (SentenceSupport& sentence : answer.sentences) {
    if (sentence.support != Support::kSupported) continue;
    if (!text.empty()) text += ' ';
    const size_t begin = text.size();
    text += answer.text.substr(sentence.span.begin, sentence.span.size());
    sentence.span = {.begin = begin, .end = text.size()};
    sentences.push_back(std::move(sentence));
  }
  if (sentences.size() == answer.sentences.size()) return;
  answer.notes.emplace_back(
      text.empty() ? "the model's answer is not supported by the documents and is not shown"
                   : "sentences of the answer that are not supported are not shown");
  answer.text = std::move(text);
  answer.sentences = std::move(sentences);
  answer.missing.clear();
}

double ConfidenceOf(double log_probability, double coverage) {
  return 4 * log_probability + 3.3 * coverage - 0.7;
}

Support SupportOf(double confidence, std::optional<double> question_gain,
                  const std::vector<std::string>& missing) {
  if (confidence < kLow) return Support::kNone;
  const bool is_about = question_gain.value_or(kAboutQuestion) >= kAboutQuestion;
  return confidence >= kSure && is_about && missing.empty() ? Support::kSupported
                                                            : Support::kPartly;
}

bool IsNotSaid(double confidence, double gain, std::optional<double> question_gain) {
  return (confidence < kNotSaidConfidence && gain < kNotSaidGain) ||
         (confidence < kNotAboutConfidence &&
          question_gain.value_or(kNotAboutQuestion) < kNotAboutQuestion);
}

Support SupportByWords(double coverage, const std::vector<std::string>& missing) {
  constexpr double kMost = 0.6;
  constexpr double kSome = 0.3;
  if (coverage < kSome) return Support::kNone;
  return coverage >= kMost && missing.empty() ? Support::kSupported : Support::kPartly;
}

size_t AddCitation(Citation citation, Answer& answer) {
  const auto same =
      std::find_if(answer.citations.begin(), answer.citations.end(), [&](const Citation& other) {
        return other.document_id == citation.document_id && other.span == citation.span;
      });
  const auto index = static_cast<size_t>(same - answer.citations.begin());
  if (same == answer.citations.end()) {
    answer.quoted_tokens += EstimateTokens(citation.quote);
    answer.citations.push_back(std::move(citation));
  }
  return index;
}

}  // namespace tome
