// A conversation in which a model answers questions about documents in the ways `context`, `linear`
// and `retrieval`. The model reads whole documents, or the passages that a search finds, and
// answers from the evidence in them. The conversation holds what was read. It also holds earlier
// questions, but only for models that answer from all the text they read (EvidenceAmount::kText).
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
#include "tome/library/library.h"
#include "tome/measurements/kept_rates.h"
#include "tome/measurements/measurements.h"

namespace tome {

// The result of reading documents ahead of questions.
struct DocumentReading {
  int64_t tokens = 0;    // of a prompt with the documents and a question of one character
  int64_t restored = 0;  // of this prompt, kept from an earlier reading
  double seconds = 0;
  TextLength length;  // the lengths of the text and of the model's training
};

// The library, the model and its measurements must outlive a conversation. It belongs to one thread.
class Conversation {
 public:
  // Throws Error(kUnavailable) for 4-bit keys and values whose loss is not known
  // (measurements/kv_loss.h).
  Conversation(Library& library, const MeasuredModel& model, std::vector<NamedDocument> documents,
               const ModelAnswerOptions& options);
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;
  ~Conversation();

  // LossFor returns the known loss of the type of memory that is chosen for a text of `tokens`
  // tokens (KnownKvLoss). TypeNoteFor returns the note about that type (NoteOfType).
  std::optional<KvLoss> LossFor(int64_t tokens) const;
  std::optional<Note> TypeNoteFor(int64_t tokens, const std::optional<KvLoss>& loss) const;

  // Answers a question. A model that answers from the text (EvidenceAmount::kText) also reads the
  // earlier questions and answers of the conversation, and `sink` gets its answer as it is written,
  // unless `strict` is set. `sink` may be empty. `way` must not be kQuotes; with kAuto, MakePlan
  // chooses the way, and a question about the whole of documents that are not read whole is answered
  // by a survey. An answer by a survey is no part of the conversation.
  //
  // Throws Error(kInvalidArgument) where kContext or kLinear is asked for and is not the model's
  // way (WholeWayOf) or no documents were named, and where prompt and answer are longer than the
  // model was made for. Throws the plan's obstacles of memory and disk as Error(kOutOfMemory) and
  // Error(kIo), and the errors of the model. After Error(kCancelled), the tokens read so far are
  // not read again for the next question.
  Answer Ask(const std::string& question, Way way, const TextSink& sink,
             const WorkControl& control);

  // Gathers the facts by which kAuto would choose for a first question, for MakePlan. Measured
  // rates are kept.
  PlanFacts GatherPlanFacts(Measuring measuring, const WorkControl& control);

  // Reads whole documents for questions to come. With a store, other conversations find them read
  // as well. Must come before the first question. Throws the errors of Ask for the model's
  // WholeWayOf.
  DocumentReading ReadDocuments(const WorkControl& control);

  // Answers several questions, each as Ask would answer it next. None of them becomes part of the
  // conversation. A model that answers from the text answers groups of questions together, as
  // memory allows: it reads the common beginning of their prompts, such as whole documents, once
  // and writes the answers in the same passes. The read_seconds of each are then those of its whole
  // group. Other models answer one question after the other. kAuto reads whole documents only if it
  // would do so for every one of the questions. Throws the errors of Ask; errors in the questions
  // come before the model reads any document.
  std::vector<Answer> AskTogether(std::span<const std::string> questions, Way way,
                                  const WorkControl& control);

 private:
  struct Pending;  // a question on its way to its answer
  struct Choice {
    Way way = Way::kRetrieval;
    Note why;
    Sources sources;              // the documents, where they are read whole
    std::vector<TokenId> prompt;  // the prompt with whole documents; else empty
  };
  struct Turn {
    // The user's message as later prompts repeat it: with the whole documents if it had them, but
    // without passages.
    std::string question;
    std::string answer;
  };

  // Gathers the facts for the plan, without rates (conversation_plan.cc).
  PlanFacts Facts(const DocumentsSize& size, const std::string& question, Choice& choice);
  Choice Choose(Way way, const DocumentsSize& size, const std::string& question,
                const WorkControl& control);

  // Returns what the model can do in a language. The first call may test the model.
  const Ability& AbilityFor(PromptLanguage language, const WorkControl& control);

  // Returns the message with whole documents, unless an earlier turn holds them, and a question.
  std::string WholeMessage(const std::string& question, const Sources& sources);
  std::vector<TokenId> Encode(const std::string& message) const;
  std::vector<Pending> Prepare(std::span<const std::string> questions, Way way,
                               const WorkControl& control);
  CountTokensOf CountTokensWith() const;
  // Returns why a question is answered by a survey (survey.h), or no value where it is not: with
  // kAuto it is where it asks about the whole and the documents are not read whole
  // (conversation_plan.cc).
  std::optional<Note> WhySurvey(const std::string& question, Way way, const WorkControl& control);
  Answer AnswerBySurvey(const std::string& question, Note why, const WorkControl& control);
  void MakePrompt(Pending& pending, const WorkControl& control);
  void DropTurns(Pending& pending);

  // Returns about how many tokens the prompts of all first questions about the same documents
  // share: all but the tokens after the documents.
  int64_t TokensBeforeQuestion(std::span<const TokenId> prompt, const std::string& question) const;
  PromptBeginning BeginningOf(const Pending& pending) const;
  // Reads `prompt`, which is the prompt of `pending` or the beginning of it. Returns the session
  // that holds it.
  Session& Read(std::span<const TokenId> prompt, Pending& pending, const WorkControl& control);

  // Returns whether the model answers the question from all the text that it is shown
  // (AnswerFromText), not from chosen sentences (AnswerFromEvidence).
  bool WritesFromText(const Pending& pending, const WorkControl& control);
  ReplyOptions OptionsOf(const Pending& pending) const;
  AnswerJudge NewJudge() const;
  // Answers from evidence alone, for models that answer best from little text.
  void AnswerFromEvidence(Pending& pending, const WorkControl& control);
  void RankEvidence(Pending& pending, const Ability& ability, ComputedTokens& computed,
                    const WorkControl& control);
  // Answers from all the text that the model is shown.
  void AnswerFromText(Pending& pending, const TextSink& sink, const WorkControl& control);
  size_t CountTogether(std::span<Pending* const> pending) const;
  void AnswerTogether(std::span<Pending* const> pending, const WorkControl& control);

  Library& library_;
  Measurements& measurements_;
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
