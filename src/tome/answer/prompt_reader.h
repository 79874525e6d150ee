// Reads the prompts of a conversation, one after the other: of each only what the last one did not
// hold, and of whole documents only what was not kept on disk.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "tome/answer/answer.h"
#include "tome/answer/answer_options.h"
#include "tome/base/progress.h"
#include "tome/generate/language_model.h"
#include "tome/generate/session.h"
#include "tome/library/library.h"

namespace tome {

// What a prompt begins with, for the store.
struct PromptBeginning {
  bool documents_whole = false;  // the documents of the conversation: they are worth keeping
  // Tokens before the question, where other questions about the documents can begin; none: the
  // prompt holds earlier turns.
  std::optional<int64_t> before_question = {};
};

// All that it is made with must outlive it.
class PromptReader {
 public:
  PromptReader(Library& library, const LanguageModel& model,
               std::span<const NamedDocument> documents, const ModelAnswerOptions& options,
               const TokenLimits& limits)
      : library_(library),
        model_(model),
        documents_(documents),
        options_(options),
        limits_(limits) {}

  // A memory for a prompt of so many tokens and its answer.
  Memory NewMemory(int64_t prompt_tokens) const;

  // Brings the session to hold a prompt, or the beginning of one, with room for the answer.
  void Read(std::span<const TokenId> prompt, const PromptBeginning& beginning,
            const WorkControl& control);

  // Null before anything was read.
  const Session* session() const { return session_ ? &*session_ : nullptr; }
  Session* session() { return session_ ? &*session_ : nullptr; }

 private:
  void UseStore(const PromptBeginning& beginning);

  Library& library_;
  const LanguageModel& model_;
  std::span<const NamedDocument> documents_;
  const ModelAnswerOptions& options_;
  const TokenLimits& limits_;
  std::optional<Session> session_;  // holds the tokens of the last prompt
};

}  // namespace tome
