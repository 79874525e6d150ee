// Judges answers by the documents: which sentences an answer stands on, and how far.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "tome/answer/answer.h"
#include "tome/answer/citing.h"
#include "tome/answer/document_names.h"
#include "tome/answer/evidence.h"
#include "tome/answer/sources.h"
#include "tome/answer/writing.h"
#include "tome/library/library.h"
#include "tome/text/analyzer.h"

namespace tome {

// Sets the support, the sentences, the missing words and the citations of an answer. The library
// and the documents must outlive the judge.
class AnswerJudge {
 public:
  // With `strict`, the judge removes the sentences of an answer that are not supported.
  AnswerJudge(Library& library, std::span<const NamedDocument> documents, CountTokensOf count,
              bool strict)
      : library_(library),
        documents_(documents),
        count_(std::move(count)),
        strict_(strict),
        names_(library, documents),
        citer_(library, names_) {}

  AnswerJudge(const AnswerJudge&) = delete;
  AnswerJudge& operator=(const AnswerJudge&) = delete;

  // Judges an answer that was written from evidence. `sentences` are the sentences of `sources`
  // that the evidence was chosen from.
  void JudgeWritten(const WrittenAnswer& written, const Sources& sources,
                    std::span<const EvidenceSentence> sentences, Answer& answer);

  // Judges an answer that a model wrote from all of `sources`. Looks up, for each of its sentences,
  // the sentence of the documents that shares most of its words.
  void JudgeReply(const Sources& sources, Answer& answer);

 private:
  // Sources, and the sentences in them that a sentence of an answer may stand on.
  struct Candidates {
    Sources sources;
    std::vector<EvidenceSentence> sentences;
  };
  // Finds candidates in at most `most_tokens` tokens of passages that share words with a text.
  Candidates Find(std::string_view words, int64_t most_tokens);
  SentenceSupport JudgeSentence(const TextSpan& span, Candidates& candidates, Answer& answer);
  // Cites the sentences nearest to the question, for an answer that stands on no sentence.
  void CiteClosest(const Sources& sources, std::span<const EvidenceSentence> sentences,
                   Answer& answer);

  Library& library_;
  std::span<const NamedDocument> documents_;
  CountTokensOf count_;
  bool strict_;
  DocumentNames names_;
  Citer citer_;
  Analyzer analyzer_;
};

}  // namespace tome
