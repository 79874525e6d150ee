#include "tome/generate/shared_prompts.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "tome/base/error.h"

namespace tome {
namespace {

// Fewer common tokens are read by each prompt itself, in one pass with all other tokens.
constexpr int64_t kWorthSharing = kKvPageTokens;

int64_t CommonTokens(PromptTokens a, PromptTokens b) {
  return std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin();
}

class PromptReader {
 public:
  PromptReader(std::span<const PromptTokens> prompts, const WorkControl& control)
      : prompts_(prompts), control_(control), sessions_(prompts.size()) {}

  std::vector<Session> Read(const Session& base) {
    std::vector<size_t> all(prompts_.size());
    for (size_t i = 0; i < all.size(); ++i) all[i] = i;
    Fork(base, all);
    std::vector<SessionReading> readings;
    for (size_t i = 0; i < prompts_.size(); ++i) {
      Session& session = *sessions_[i];
      readings.push_back(
          {.session = &session, .tokens = prompts_[i].subspan(session.tokens().size())});
    }
    PrefillTogether(readings, control_);
    std::vector<Session> read;
    for (auto& session : sessions_) read.push_back(std::move(*session));
    return read;
  }

 private:
  // Gives each of `members`, whose prompts begin with the tokens of `base`, a session that holds
  // what is worth sharing.
  void Fork(const Session& base, const std::vector<size_t>& members) {
    const size_t depth = base.tokens().size();
    std::map<TokenId, std::vector<size_t>> by_next;
    for (const size_t i : members) by_next[prompts_[i][depth]].push_back(i);
    for (const auto& [next, alike] : by_next) {
      std::vector<PromptTokens> prompts;
      for (const size_t i : alike) prompts.push_back(prompts_[i]);
      const auto common = static_cast<size_t>(tome::CommonTokens(prompts));
      if (alike.size() > 1 && common >= depth + kWorthSharing) {
        Session shared = base.Fork();
        shared.Prefill(prompts.front().subspan(depth, common - depth), control_);
        Fork(shared, alike);
      } else {
        for (const size_t i : alike) sessions_[i].emplace(base.Fork());
      }
    }
  }

  std::span<const PromptTokens> prompts_;
  const WorkControl& control_;
  std::vector<std::optional<Session>> sessions_;
};

}  // namespace

int64_t CommonTokens(std::span<const PromptTokens> prompts) {
  TOME_CHECK(!prompts.empty());
  auto common = static_cast<int64_t>(prompts.front().size());
  for (const PromptTokens& prompt : prompts) {
    TOME_CHECK(!prompt.empty());
    common = std::min(
        {common, CommonTokens(prompts.front(), prompt), static_cast<int64_t>(prompt.size()) - 1});
  }
  return common;
}

int64_t DistinctTokens(std::span<const PromptTokens> prompts) {
  std::vector<PromptTokens> sorted(prompts.begin(), prompts.end());
  std::sort(sorted.begin(), sorted.end(), [](PromptTokens a, PromptTokens b) {
    return std::ranges::lexicographical_compare(a, b);
  });
  int64_t tokens = 0;
  PromptTokens before;
  for (const PromptTokens& prompt : sorted) {
    tokens += static_cast<int64_t>(prompt.size()) - CommonTokens(before, prompt);
    before = prompt;
  }
  return tokens;
}

std::vector<Session> ReadPrompts(const Session& base, std::span<const PromptTokens> prompts,
                                 const WorkControl& control) {
  return PromptReader(prompts, control).Read(base);
}

}  // namespace tome
