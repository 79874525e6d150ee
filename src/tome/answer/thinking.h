// The thinking of a reasoning model, which is no part of its answer: <think> … </think> in front of
// it, where the first mark may have been written by the model's chat template.
#pragma once

#include <string>
#include <string_view>

namespace tome {

// Takes a reply as it is written and passes on what stands behind the thinking. Bounded: of the
// thinking only the bytes that may begin the mark are kept.
class ThinkingFilter {
 public:
  // `begun`: the prompt ended with <think>, so the reply begins inside.
  explicit ThinkingFilter(bool begun) : state_(begun ? State::kThinking : State::kUnknown) {}

  std::string Push(std::string_view text);
  // What was held back at the end of the reply: nothing of a thinking that never ended.
  std::string Finish();
  // Whether the reply ended, or stands, inside its thinking.
  bool is_thinking() const { return state_ == State::kThinking; }

 private:
  enum class State { kUnknown, kThinking, kBehind, kAnswer };

  State state_;
  std::string held_;
};

}  // namespace tome
