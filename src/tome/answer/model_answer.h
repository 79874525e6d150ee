// The ways `context`, `linear` and `retrieval`: a model reads all of the documents, or the passages
// that matter, recites its evidence and answers. What it recites is looked up in what it was shown;
// what is not there is dropped, and an answer without evidence is not given.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tome/answer/answer.h"
#include "tome/answer/document_names.h"
#include "tome/answer/plan.h"
#include "tome/base/progress.h"
#include "tome/generate/language_model.h"
#include "tome/generate/session.h"
#include "tome/generate/text_length.h"
#include "tome/library/kept_rates.h"
#include "tome/library/library.h"

namespace tome {

struct ModelAnswerOptions {
  SamplingOptions sampling;
  int64_t max_answer_tokens = 1024;  // evidence included
  int64_t passage_tokens = 2048;     // of the model's, for the passages of `retrieval`
  double budget_seconds = 60;        // that reading may take for `auto` to choose `context`
  // As MemoryOptions::kv; none: KvTypeFor's choice.
  std::optional<KvType> kv;
  std::optional<double> attention_mass = {};   // as MemoryOptions::attention_mass
  std::optional<Longer> longer = {};           // as MemoryOptions::longer
  int64_t window = 0;                          // as MemoryOptions::window
  int64_t sinks = 0;                           // as MemoryOptions::sinks
  std::optional<int64_t> resident_bytes = {};  // as MemoryOptions::resident_bytes
  std::filesystem::path spill_folder = {};     // as MemoryOptions::spill_folder
  Speculation speculation = Speculation::kPromptLookup;
  SnapshotStore* store = nullptr;  // keeps documents that were read whole; null: nothing does
};

// What reading documents ahead of questions did.
struct ReadAhead {
  int64_t tokens = 0;    // of the documents, as they stand before a question
  int64_t restored = 0;  // of them, kept from an earlier reading
  double seconds = 0;
  TextLength length;  // what was asked of the model
};

// A conversation with documents. The library and the model must outlive it. One thread.
class Conversation {
 public:
  // Error(kUnavailable) for 4-bit keys and values whose loss is not known (library/kv_loss.h).
  Conversation(Library& library, const LanguageModel& model, std::vector<AskedDocument> documents,
               const ModelAnswerOptions& options);
  ~Conversation();

  // What the library knows of the loss of the type of a memory for a text of `tokens` tokens, and
  // what a reader of that text is told of it (NoteOfType).
  std::optional<KvLoss> LossFor(int64_t tokens) const;
  std::optional<Note> TypeNoteFor(int64_t tokens, const std::optional<KvLoss>& loss) const;

  // Answers a question; earlier questions of the conversation and their answers are part of what
  // the model reads. `sink` gets the answer as it is written, once evidence for it was found (it
  // may be empty). `way` is not kQuotes; kAuto takes what MakePlan says.
  //
  // Error(kInvalidArgument) when kContext or kLinear is not the model's way (WholeWayOf), cannot
  // hold the documents (the message says what they need), or no documents were named for it; errors
  // of the model. Cancelled, it throws; what was
  // read of the prompt is kept for the next question.
  Answer Ask(const std::string& question, Way way, const TextSink& sink,
             const WorkControl& control);

  // What kAuto would choose by for a first question, for MakePlan. Rates that are measured are kept
  // in the library.
  PlanFacts Foresee(Measuring measuring, const WorkControl& control);

  // Reads the documents whole, for questions to come: with a store those find them read, in other
  // conversations too. Errors as Ask's for the model's WholeWayOf.
  ReadAhead ReadDocuments(const WorkControl& control);

  // Answers several questions, each as Ask would if it were the next of the conversation; none of
  // them becomes part of it. What their prompts begin with, the documents themselves with kContext,
  // is read once, and the answers are written together; their read_seconds are those of all that
  // were read together. kAuto reads whole documents where it would for each of the questions.
  // Errors as Ask, before the model reads anything where one of the questions is at fault.
  std::vector<Answer> AskTogether(std::span<const std::string> questions, Way way,
                                  const WorkControl& control);

 private:
  struct Shown;
  struct Asked;
  class Recital;
  struct Choice {
    Way way = Way::kRetrieval;
    std::string why;
    std::vector<TokenId> prompt;  // of whole documents
  };
  PlanFacts Facts(const AskedSize& size, const std::string& question, Shown& shown,
                  std::vector<TokenId>& prompt);
  ModelRates Rates(KvType kv, Measuring measuring, const WorkControl& control);
  Choice Choose(Way way, const AskedSize& size, const std::string& question, Shown& shown,
                const WorkControl& control);
  Shown ShowAll(const std::string& question);
  Shown ShowPassages(const std::string& question);
  std::vector<TokenId> Encode(const std::string& prompt) const;
  std::vector<Asked> Prepare(std::span<const std::string> questions, Way way,
                             const WorkControl& control);
  Memory NewMemory(int64_t prompt_tokens) const;
  int64_t TokensBeforeQuestion(std::span<const TokenId> prompt, const std::string& question) const;
  void Read(std::span<const TokenId> prompt, const Asked& asked, const WorkControl& control);
  size_t CountTogether(std::span<Asked* const> asked) const;
  void AnswerTogether(std::span<Asked* const> asked, const WorkControl& control);

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
};

}  // namespace tome
