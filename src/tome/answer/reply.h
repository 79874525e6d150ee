// An answer that a model writes from the text it has read: its thinking is passed over, the rest is
// let through as it comes.
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
  bool begins_thinking = false;  // EndsThinking of the prompt
};

// Whether a prompt ends with the mark that thinking begins with, as some chat templates have it.
bool EndsThinking(const Tokenizer& tokenizer, std::span<const TokenId> prompt);

// `answer` gets the text, and what is known of its writing; it must outlive the reply, as `control`
// must.
class ModelReply {
 public:
  // `sink` gets the text as it is written; it may be empty.
  ModelReply(Answer& answer, const ReplyOptions& options, TextSink sink, const WorkControl& control)
      : answer_(answer),
        options_(options),
        sink_(std::move(sink)),
        control_(control),
        thinking_(options.begins_thinking) {}

  // How the session that has read the prompt is to go on. The reply must stay where it is.
  SessionWriting Of(Session& session);

  // What was written, with notes of how it ended. Error(kCancelled) where it was stopped.
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
