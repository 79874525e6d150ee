#include "tome/answer/judging.h"

#include <algorithm>
#include <string>
#include <utility>

#include "tome/answer/support.h"
#include "tome/text/sentences.h"

namespace tome {
namespace {

// Evidence is looked for in all sources up to this many characters, and in longer ones in passages
// of kSearchedTokens tokens that share words with the answer.
constexpr uint64_t kMostSearched = 20000;
constexpr int64_t kSearchedTokens = 4000;
// Sentences cited where the answer stands on none.
constexpr size_t kClosest = 3;

}  // namespace

void AnswerJudge::JudgeWritten(const WrittenAnswer& written, const Sources& sources,
                               std::span<const EvidenceSentence> sentences, Answer& answer) {
  std::string evidence;
  double coverage = 0;
  std::vector<size_t> citations;
  for (const size_t i : written.evidence) {
    const EvidenceSentence& sentence = sentences[i];
    evidence += sentence.text + "\n";
    coverage = std::max(coverage, sentence.coverage);
    citations.push_back(AddCitation(
        citer_.Cite(sources.parts[sentence.part].document, sentence.span, sentence.score), answer));
  }
  answer.confidence = ConfidenceOf(written.log_probability, coverage);
  answer.gain = written.gain;
  answer.question_gain = written.question_gain;
  answer.text = WithoutRambling(written.text, evidence, answer.question, analyzer_);
  answer.missing = MissingFrom(answer.text, evidence, answer.question, analyzer_);
  answer.not_said = IsNotSaid(*answer.confidence, *answer.gain, answer.question_gain);
  answer.support = answer.text.empty() || answer.not_said
                       ? Support::kNone
                       : SupportOf(*answer.confidence, answer.question_gain, answer.missing);
  answer.sentences.push_back({.span = {.begin = 0, .end = answer.text.size()},
                              .support = *answer.support,
                              .citations = std::move(citations)});
  if (answer.support == Support::kNone) CiteClosest(sources, sentences, answer);
  if (strict_) LeaveOutUnsupported(answer);
}

void AnswerJudge::JudgeReply(const Sources& sources, Answer& answer) {
  SentenceSplitter splitter;
  Support worst = Support::kSupported;
  // Only the passages that share words with a sentence can hold its evidence in long documents.
  const bool is_short = sources.characters() <= kMostSearched;
  Candidates all;
  // The idf of the question's words says nothing about the answer's, so it is left out.
  if (is_short)
    all = {.sources = {.parts = sources.parts}, .sentences = SentencesOf(sources, library_)};
  for (const TextSpan& span : Sentences(answer.text, {.begin = 0, .end = answer.text.size()},
                                        LineBreaks::kHard, splitter)) {
    const std::string sentence = answer.text.substr(span.begin, span.size());
    if (!HasWords(sentence)) continue;
    Candidates found;
    if (!is_short) found = Find(sentence, kSearchedTokens);
    answer.sentences.push_back(JudgeSentence(span, is_short ? all : found, answer));
    worst = std::max(worst, answer.sentences.back().support);
  }
  if (answer.sentences.empty()) worst = Support::kNone;
  answer.support = worst;
  if (answer.citations.empty() && HasWords(answer.question)) {
    Candidates closest = Find(answer.question, kRankedTokens);
    ScoreWords(answer.question, closest.sources.idf, analyzer_, closest.sentences);
    ScoreEvidence(closest.sentences);
    CiteClosest(closest.sources, closest.sentences, answer);
  }
  if (strict_) LeaveOutUnsupported(answer);
}

AnswerJudge::Candidates AnswerJudge::Find(std::string_view words, int64_t most_tokens) {
  Candidates found;
  found.sources = FindPassages(library_, documents_, words, most_tokens, count_);
  found.sentences = SentencesOf(found.sources, library_);
  return found;
}

SentenceSupport AnswerJudge::JudgeSentence(const TextSpan& span, Candidates& candidates,
                                           Answer& answer) {
  SentenceSupport judged{.span = span, .support = Support::kNone, .citations = {}};
  const std::string_view sentence = std::string_view(answer.text).substr(span.begin, span.size());
  ScoreWords(sentence, candidates.sources.idf, analyzer_, candidates.sentences);
  ScoreEvidence(candidates.sentences);
  const std::vector<size_t> best = BestEvidence(candidates.sentences, 1);
  if (best.empty()) return judged;
  const EvidenceSentence& evidence = candidates.sentences[best.front()];
  const auto missing = MissingFrom(sentence, evidence.text, answer.question, analyzer_);
  judged.support = SupportByWords(evidence.coverage, missing);
  answer.missing.insert(answer.missing.end(), missing.begin(), missing.end());
  if (judged.support != Support::kNone) {
    judged.citations.push_back(
        AddCitation(citer_.Cite(candidates.sources.parts[evidence.part].document, evidence.span,
                                evidence.coverage),
                    answer));
  }
  return judged;
}

void AnswerJudge::CiteClosest(const Sources& sources, std::span<const EvidenceSentence> sentences,
                              Answer& answer) {
  for (const size_t i : BestEvidence(sentences, kClosest)) {
    AddCitation(citer_.Cite(sources.parts[sentences[i].part].document, sentences[i].span,
                            sentences[i].score),
                answer);
  }
}

}  // namespace tome
