// The ways `context` and `retrieval`: a model reads all of the documents, or the passages that
// matter, recites its evidence and answers. What it recites is looked up in what it was shown; what
// is not there is dropped, and an answer without evidence is not given.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tome/answer/answer.h"
#include "tome/answer/document_names.h"
#include "tome/base/progress.h"
#include "tome/generate/language_model.h"
#include "tome/generate/session.h"
#include "tome/library/library.h"

namespace tome {

enum class Way { kAuto, kQuotes, kContext, kRetrieval };
std::string_view NameOf(Way way);

struct ModelAnswerOptions {
  SamplingOptions sampling;
  int64_t max_answer_tokens = 1024;  // evidence included
  int64_t passage_tokens = 2048;     // of the model's, for the passages of `retrieval`
  double budget_seconds = 60;        // that reading may take for `auto` to choose `context`
  std::optional<KvType> kv;          // as MemoryOptions::kv
  std::optional<double> attention_mass = {};  // as MemoryOptions::attention_mass
  Speculation speculation = Speculation::kPromptLookup;
};

// A conversation with documents. The library and the model must outlive it. One thread.
class Conversation {
 public:
  Conversation(Library& library, const LanguageModel& model, std::vector<AskedDocument> documents,
               const ModelAnswerOptions& options);
  ~Conversation();

  // Answers a question; earlier questions of the conversation and their answers are part of what
  // the model reads. `sink` gets the answer as it is written, once evidence for it was found (it
  // may be empty). `way` is not kQuotes; kAuto takes kContext where the documents fit the model and
  // this machine's memory and can be read within the budget, else kRetrieval.
  //
  // Error(kInvalidArgument) when kContext cannot hold the documents (the message says what they
  // need), or no documents were named for it; errors of the model. Cancelled, it throws; what was
  // read of the prompt is kept for the next question.
  Answer Ask(const std::string& question, Way way, const TextSink& sink,
             const WorkControl& control);

 private:
  struct Shown;
  struct Choice {
    Way way = Way::kRetrieval;
    std::string why;
    std::vector<TokenId> prompt;  // of kContext
  };
  Choice Choose(Way way, const AskedSize& size, const std::string& question, Shown& shown);
  Shown ShowAll(const std::string& question);
  Shown ShowPassages(const std::string& question);
  std::vector<TokenId> Encode(const std::string& prompt) const;
  double SecondsToRead(int64_t tokens);
  void Read(std::span<const TokenId> prompt, const WorkControl& control);
  void Write(const Shown& shown, Answer& answer, const TextSink& sink, const WorkControl& control);

  struct Turn {
    std::string question;
    std::string answer;
  };

  Library& library_;
  const LanguageModel& model_;
  std::vector<AskedDocument> documents_;
  ModelAnswerOptions options_;
  std::vector<Turn> turns_;
  bool whole_read_ = false;         // the first turn holds the documents
  std::optional<Session> session_;  // holds the tokens of the last prompt
  double seconds_per_token_ = 0;    // of linear work, measured once
};

}  // namespace tome
