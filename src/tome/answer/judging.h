// Holds answers against the documents: which sentences they stand on, and how far.
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

// Judges one answer: sets its support, sentences, missing words and citations. The library and the
// documents must outlive it.
class AnswerJudge {
 public:
  // `strict`: what is not supported is left out of the answer.
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

  // An answer that was written from evidence: `sentences` are those of `shown` that it was chosen
  // from.
  void JudgeWritten(const WrittenAnswer& written, const Sources& sources,
                    std::span<const EvidenceSentence> sentences, Answer& answer);

  // An answer that a model wrote from all of `shown`: for each of its sentences the one of the
  // documents that holds most of its words is looked up.
  void JudgeReply(const Sources& sources, Answer& answer);

 private:
  // What the sentences of an answer are held against.
  struct Candidates {
    Sources sources;
    std::vector<EvidenceSentence> sentences;
  };
  // In the passages that share words with a text, of so many tokens at most.
  Candidates Find(std::string_view words, int64_t most_tokens);
  SentenceSupport JudgeSentence(const TextSpan& span, Candidates& candidates, Answer& answer);
  // The sentences that come nearest to the question, for an answer that stands on none.
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
