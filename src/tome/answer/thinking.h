// Filters out the thinking of a reasoning model, which is no part of its answer: <think> … </think>
// in front of the answer. The model's chat template may have written the first mark.
#pragma once

#include <string>
#include <string_view>

namespace tome {

// Takes a reply as it is written and passes on the text after the thinking. Its memory is bounded:
// of the thinking it holds only the bytes that may begin the end mark.
class ThinkingFilter {
 public:
  // A reply begins inside its thinking (kThinking) where its prompt ended with <think>.
  enum class Start { kUnknown, kThinking };
  explicit ThinkingFilter(Start start)
      : state_(start == Start::kThinking ? State::kThinking : State::kUnknown) {}

  std::string Push(std::string_view text);
  // Returns the text that was held back at the end of the reply. A thinking that never ended is not
  // returned.
  std::string Finish();
  // Returns whether the reply ended, or still is, inside its thinking.
  bool is_thinking() const { return state_ == State::kThinking; }

 private:
  enum class State { kUnknown, kThinking, kBehind, kAnswer };

  State state_;
  std::string held_;
};

}  // namespace tome
