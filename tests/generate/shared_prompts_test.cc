#include "tome/generate/shared_prompts.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/generate/golden_session.h"

namespace tome {
namespace {

std::vector<PromptTokens> SpansOf(const std::vector<std::vector<TokenId>>& prompts) {
  return {prompts.begin(), prompts.end()};
}

TEST(CommonTokensTest, TheLastTokenOfAPromptIsNotShared) {
  EXPECT_EQ(CommonTokens(SpansOf({{1, 2, 3, 4}, {1, 2, 5}})), 2);
  EXPECT_EQ(CommonTokens(SpansOf({{1, 2, 3, 4}, {1, 2, 3}})), 2);
  EXPECT_EQ(CommonTokens(SpansOf({{1, 2}, {1, 2}})), 1);
  EXPECT_EQ(CommonTokens(SpansOf({{1, 2, 3}})), 2);
  EXPECT_EQ(CommonTokens(SpansOf({{1, 2, 3}, {2, 2, 3}})), 0);
  EXPECT_EQ(CommonTokens(SpansOf({{1}, {1}})), 0);
}

TEST(DistinctTokensTest, CommonBeginningsCountOnce) {
  EXPECT_EQ(DistinctTokens(SpansOf({{1, 2, 3}})), 3);
  EXPECT_EQ(DistinctTokens(SpansOf({{1, 2, 3}, {4, 5}, {1, 2, 4}, {1, 2, 3}})), 3 + 2 + 1);
  EXPECT_EQ(DistinctTokens({}), 0);
}

class ReadPromptsTest : public SessionTest {};
INSTANTIATE_TEST_SUITE_P(Llama, ReadPromptsTest, testing::Values("llama"));

// There are two documents. The first is asked three times, twice with the same question, the second
// twice.
TEST_P(ReadPromptsTest, EachIsReadAsAloneAndWhatIsSharedOnce) {
  const auto& golden = golden_.tokens;
  std::vector<std::vector<TokenId>> prompts;
  const std::vector<TokenId> head(golden.begin(), golden.begin() + 5);
  const auto add = [&](size_t from, size_t count, std::vector<TokenId> question) {
    std::vector<TokenId> prompt = head;
    prompt.insert(prompt.end(), golden.begin() + static_cast<int64_t>(from),
                  golden.begin() + static_cast<int64_t>(from + count));
    prompt.insert(prompt.end(), question.begin(), question.end());
    prompts.push_back(std::move(prompt));
  };
  add(5, 200, {1, 2, 3});
  add(90, 300, {1, 2, 3});
  add(5, 200, {1, 2, 3});
  add(90, 300, {4});
  add(5, 200, {1, 5, 7, 9, 11, 13});
  ASSERT_NE(golden[5], golden[90]);
  const auto spans = SpansOf(prompts);
  EXPECT_EQ(CommonTokens(spans), 5);
  Session base = NewSession();
  base.Prefill(head, {});
  uint64_t read = 0;
  uint64_t passes = 0;
  std::vector<Session> sessions = ReadPrompts(
      base, spans, {.stop = {}, .progress = [&](std::string_view, uint64_t done, uint64_t total) {
                      if (done == total) read += total;
                      passes += done == 0 ? 0 : 1;
                    }});
  ASSERT_EQ(sessions.size(), prompts.size());
  // Each document is read once, with the token that its questions have in common. Then the rest of
  // each question, at least its last token, is read in one pass.
  EXPECT_EQ(read, 201U + 300 + 2 + 3 + 2 + 1 + 5);
  EXPECT_EQ(passes, 3U);
  for (size_t i = 0; i < prompts.size(); ++i) {
    SCOPED_TRACE(i);
    Session alone = NewSession();
    alone.Prefill(prompts[i], {});
    EXPECT_TRUE(std::ranges::equal(sessions[i].tokens(), prompts[i]));
    EXPECT_TRUE(std::ranges::equal(sessions[i].logits(), alone.logits()));
    const GenerateOptions options{.sampling = {}, .max_tokens = 20, .stops = {}, .stop = {}};
    EXPECT_EQ(sessions[i].Generate(options, {}).tokens, alone.Generate(options, {}).tokens);
  }
  EXPECT_TRUE(std::ranges::equal(base.tokens(), head));
}

}  // namespace
}  // namespace tome
