// A conversation with documents by a model: what it is shown, what it reads and keeps, and the
// questions that came before. The ways `context`, `linear` and `retrieval`: the model reads all of
// the documents, or the passages that a search finds, and answers from the evidence in them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tome/answer/ability.h"
#include "tome/answer/answer.h"
#include "tome/answer/answer_options.h"
#include "tome/answer/document_names.h"
#include "tome/answer/judging.h"
#include "tome/answer/local_answer_model.h"
#include "tome/answer/plan.h"
#include "tome/answer/prompt.h"
#include "tome/answer/prompt_reader.h"
#include "tome/answer/reply.h"
#include "tome/answer/sources.h"
#include "tome/base/progress.h"
#include "tome/generate/language_model.h"
#include "tome/generate/session.h"
#include "tome/generate/text_length.h"
#include "tome/library/kept_rates.h"
#include "tome/library/library.h"

namespace tome {

// What reading documents ahead of questions did.
struct DocumentReading {
  int64_t tokens = 0;    // of the documents, as they stand before a question
  int64_t restored = 0;  // of them, kept from an earlier reading
  double seconds = 0;
  TextLength length;  // what was asked of the model
};

// A conversation with documents. The library and the model must outlive it. One thread.
class Conversation {
 public:
  // Error(kUnavailable) for 4-bit keys and values whose loss is not known (library/kv_loss.h).
  Conversation(Library& library, const LanguageModel& model, std::vector<NamedDocument> documents,
               const ModelAnswerOptions& options);
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;
  ~Conversation();

  // What the library knows of the loss of the type of a memory for a text of `tokens` tokens, and
  // what a reader of that text is told of it (NoteOfType).
  std::optional<KvLoss> LossFor(int64_t tokens) const;
  std::optional<Note> TypeNoteFor(int64_t tokens, const std::optional<KvLoss>& loss) const;

  // Answers a question; earlier questions of the conversation and their answers are part of what
  // a model reads that answers from whole texts (EvidenceAmount::kText). `sink` gets the answer as
  // it is written (it may be empty). `way` is not kQuotes; kAuto takes what MakePlan says.
  //
  // Error(kInvalidArgument) when kContext or kLinear is not the model's way (WholeWayOf), cannot
  // hold the documents (the message says what they need), or no documents were named for it; errors
  // of the model. Cancelled, it throws; what was
  // read of the prompt is kept for the next question.
  Answer Ask(const std::string& question, Way way, const TextSink& sink,
             const WorkControl& control);

  // What kAuto would choose by for a first question, for MakePlan. Rates that are measured are kept
  // in the library.
  PlanFacts GatherPlanFacts(Measuring measuring, const WorkControl& control);

  // Reads the documents whole, for questions to come: with a store those find them read, in other
  // conversations too. Errors as Ask's for the model's WholeWayOf.
  DocumentReading ReadDocuments(const WorkControl& control);

  // Answers several questions, each as Ask would if it were the next of the conversation; none of
  // them becomes part of it. What their prompts begin with, the documents themselves with kContext,
  // is read once, and the answers are written together; their read_seconds are those of all that
  // were read together. kAuto reads whole documents where it would for each of the questions.
  // Errors as Ask, before the model reads anything where one of the questions is at fault.
  std::vector<Answer> AskTogether(std::span<const std::string> questions, Way way,
                                  const WorkControl& control);

 private:
  struct Pending;  // a question on its way to its answer
  struct Choice {
    Way way = Way::kRetrieval;
    Note why;
    Sources sources;              // of whole documents
    std::vector<TokenId> prompt;  // of whole documents
  };
  struct Turn {
    std::string question;  // the message, with the documents where it held them
    std::string answer;
  };

  // Facts for the plan (conversation_plan.cc).
  PlanFacts Facts(const DocumentsSize& size, const std::string& question, Choice& choice);
  Choice Choose(Way way, const DocumentsSize& size, const std::string& question,
                const WorkControl& control);

  // What the model can do in the language of the question.
  const Ability& AbilityFor(PromptLanguage language, const WorkControl& control);

  // Whole documents, and a question about them; the documents are left out where an earlier turn
  // holds them.
  std::string WholeMessage(const std::string& question, const Sources& sources);
  std::vector<TokenId> Encode(const std::string& message) const;
  std::vector<Pending> Prepare(std::span<const std::string> questions, Way way,
                               const WorkControl& control);
  CountTokensOf CountTokensWith() const;
  void MakePrompt(Pending& pending, const WorkControl& control);
  void DropTurns(Pending& pending);

  // Tokens that the prompts of all first questions about the same documents begin with, about: all
  // but the words behind the documents.
  int64_t TokensBeforeQuestion(std::span<const TokenId> prompt, const std::string& question) const;
  PromptBeginning BeginningOf(const Pending& pending) const;
  // Reads a prompt, or the beginning of one, for a question; gives the session that holds it.
  Session& Read(std::span<const TokenId> prompt, Pending& pending, const WorkControl& control);

  // Whether a question is answered from all that the model is shown.
  bool WritesFromText(const Pending& pending, const WorkControl& control);
  ReplyOptions OptionsOf(const Pending& pending) const;
  AnswerJudge NewJudge() const;
  // Answers by evidence alone, for models that answer best from little text.
  void AnswerFromEvidence(Pending& pending, const WorkControl& control);
  void RankEvidence(Pending& pending, const Ability& ability, ComputedTokens& computed,
                    const WorkControl& control);
  // Answers from all that the model is shown.
  void AnswerFromText(Pending& pending, const TextSink& sink, const WorkControl& control);
  size_t CountTogether(std::span<Pending* const> pending) const;
  void AnswerTogether(std::span<Pending* const> pending, const WorkControl& control);

  Library& library_;
  const LanguageModel& model_;
  std::vector<NamedDocument> documents_;
  ModelAnswerOptions options_;
  TokenLimits limits_;
  LocalAnswerModel answer_model_;
  PromptReader reader_;
  std::map<PromptLanguage, Ability> abilities_;
  std::vector<Turn> turns_;
  bool whole_read_ = false;  // the first turn holds the documents
};

}  // namespace tome
