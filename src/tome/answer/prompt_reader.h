// Reads the prompts of a conversation one after the other. It reads only the tokens that the
// previous prompt did not hold and that, for whole documents, were not kept on disk.
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
#include "tome/measurements/measurements.h"

namespace tome {

// Says what a prompt begins with, for the store.
struct PromptBeginning {
  bool documents_whole = false;  // whole documents, which are worth keeping
  // Tokens in front of the question, after which other questions about the documents can follow.
  // Empty where the prompt holds earlier turns, and where no whole documents are stored.
  std::optional<int64_t> before_question = {};
};

// All that the constructor is given must outlive the reader.
class PromptReader {
 public:
  PromptReader(Library& library, const MeasuredModel& model,
               std::span<const NamedDocument> documents, const ModelAnswerOptions& options,
               const TokenLimits& limits)
      : library_(library),
        measurements_(model.measurements),
        model_(model.model),
        documents_(documents),
        options_(options),
        limits_(limits) {}

  // Returns a memory for a prompt of `prompt_tokens` tokens and its answer.
  Memory NewMemory(int64_t prompt_tokens) const;

  // Makes the session hold a prompt, or the beginning of one, with room for the answer.
  void Read(std::span<const TokenId> prompt, const PromptBeginning& beginning,
            const WorkControl& control);

  // Null before the first Read.
  const Session* session() const { return session_ ? &*session_ : nullptr; }
  Session* session() { return session_ ? &*session_ : nullptr; }

 private:
  void UseStore(const PromptBeginning& beginning);

  Library& library_;
  Measurements& measurements_;
  const LanguageModel& model_;
  std::span<const NamedDocument> documents_;
  const ModelAnswerOptions& options_;
  const TokenLimits& limits_;
  std::optional<Session> session_;  // holds the tokens of the last prompt
};

}  // namespace tome
