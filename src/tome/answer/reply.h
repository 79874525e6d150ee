// A reply that a model writes from the text it has read. Its thinking is left out, and the rest is
// passed on as it is written.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "tome/answer/answer.h"
#include "tome/answer/thinking.h"
#include "tome/base/progress.h"
#include "tome/generate/session.h"
#include "tome/text/tokenizer.h"

namespace tome {

struct ReplyOptions {
  SamplingOptions sampling;
  int64_t max_tokens = 0;
  Speculation speculation = Speculation::kPromptLookup;
  bool begins_thinking = false;  // EndsThinking(prompt)
};

// Returns whether a prompt ends with the mark that begins thinking (<think>), as the prompts of
// some chat templates do.
bool EndsThinking(const Tokenizer& tokenizer, std::span<const TokenId> prompt);

// Writes its text, and the figures and notes of the writing, into `answer`. `answer` and `control`
// must outlive the reply.
class ModelReply {
 public:
  // `sink` gets the text as it is written. It may be empty.
  ModelReply(Answer& answer, const ReplyOptions& options, TextSink sink, const WorkControl& control)
      : answer_(answer),
        options_(options),
        sink_(std::move(sink)),
        control_(control),
        thinking_(options.begins_thinking ? ThinkingFilter::Start::kThinking
                                          : ThinkingFilter::Start::kUnknown) {}

  // Returns how the session, which has read the prompt, continues. The reply must not move
  // afterwards.
  SessionWriting Of(Session& session);

  // Ends the answer and adds notes about how it ended. Throws Error(kCancelled) where it was
  // stopped.
  void Finish(const Generated& generated);

 private:
  bool Show(const std::string& text);

  Answer& answer_;
  ReplyOptions options_;
  TextSink sink_;
  const WorkControl& control_;
  ThinkingFilter thinking_;
};

}  // namespace tome
