#include "tome/answer/reply.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace tome {

bool EndsThinking(const Tokenizer& tokenizer, std::span<const TokenId> prompt) {
  constexpr size_t kLast = 8;
  const std::string end =
      tokenizer.Decode(prompt.last(std::min(prompt.size(), kLast)), {.keep_special = true});
  const size_t last = end.find_last_not_of(" \n");
  return last != std::string::npos &&
         std::string_view(end).substr(0, last + 1).ends_with("<think>");
}

SessionWriting ModelReply::Of(Session& session) {
  return {.session = &session,
          .options = {.sampling = options_.sampling,
                      .max_tokens = options_.max_tokens,
                      .stops = {},
                      .speculation = options_.speculation,
                      .stop = control_.stop},
          .sink = [this](std::string_view text) {
            control_.Report("writing", 0, 0);
            return Show(thinking_.Push(text));
          }};
}

void ModelReply::Finish(const Generated& generated) {
  Show(thinking_.Finish());
  answer_.generated_tokens += generated.tokens.size();
  answer_.generate_seconds = generated.seconds;
  if (generated.finish == FinishReason::kCancelled) control_.CheckStop();
  if (generated.finish == FinishReason::kMaxTokens) {
    answer_.notes.push_back(
        {fmt::format("the answer ended at the limit of {} tokens", options_.max_tokens),
         {Advice::Raise(Setting::kMaxTokens)}});
  }
  if (generated.finish == FinishReason::kContext) {
    answer_.notes.emplace_back("the answer ended where the model's context did");
  }
  if (thinking_.is_thinking()) {
    answer_.notes.emplace_back("the model was still thinking when its answer had to end");
  }
}

bool ModelReply::Show(const std::string& text) {
  if (text.empty()) return true;
  answer_.text += text;
  return !sink_ || sink_(text);
}

}  // namespace tome
