#include "tome/answer/replies.h"

#include <algorithm>

#include "tome/generate/shared_prompts.h"

namespace tome {

std::vector<TokenId> EncodeMessage(const LanguageModel& model, std::string_view message,
                                   std::string_view opening) {
  const ChatMessage turn{.role = "user", .content = std::string(message)};
  std::vector<TokenId> tokens = model.EncodeChat({&turn, 1});
  if (!opening.empty()) {
    const std::vector<TokenId> begun =
        model.tokenizer().Encode(opening, Specials::kLiteral, {.add_special = false});
    tokens.insert(tokens.end(), begun.begin(), begun.end());
  }
  return tokens;
}

Session NewSession(const LanguageModel& model, int64_t tokens) {
  return {model.model(), model.tokenizer(), model.compute(),
          model.model().NewMemory({.max_tokens = tokens})};
}

std::vector<Session> ReadEach(const LanguageModel& model,
                              std::span<const std::vector<TokenId>> prompts, int64_t new_tokens,
                              const WorkControl& control) {
  int64_t longest = 0;
  std::vector<PromptTokens> views;
  for (const std::vector<TokenId>& prompt : prompts) {
    longest = std::max(longest, static_cast<int64_t>(prompt.size()));
    views.emplace_back(prompt);
  }
  Session base = NewSession(model, longest + new_tokens);
  base.Prefill(views.front().first(static_cast<size_t>(CommonTokens(views))), control);
  return ReadPrompts(base, views, control);
}

std::vector<ScoredText> ReplyToEach(const LanguageModel& model,
                                    std::span<const std::vector<TokenId>> prompts,
                                    int64_t max_tokens, const WorkControl& control) {
  std::vector<Session> sessions = ReadEach(model, prompts, max_tokens, control);
  std::vector<ScoredWriting> writings;
  for (Session& session : sessions) writings.push_back({.session = &session});
  return WriteScored(writings, {.sampling = {}, .max_tokens = max_tokens, .stop = control.stop},
                     {});
}

}  // namespace tome
