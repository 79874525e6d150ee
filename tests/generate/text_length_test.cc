#include "tome/generate/text_length.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "tests/models/golden_model.h"

namespace tome {
namespace {

using testing::HasSubstr;
using testing::Not;

class TextLengthTest : public testing::Test {
 protected:
  // Loads a golden model, which was made for texts of 1,024 tokens.
  void Load(const std::string& variant) {
    WriteGoldenModel(variant, folder_ / variant);
    model_ = LoadModelIn(folder_ / variant, compute_);
  }

  // Returns the length of a text that is read into a memory in passes of up to 512 tokens.
  TextLength LengthAfter(int64_t tokens, const MemoryOptions& options) {
    Memory memory = model_->NewMemory(options);
    std::mt19937 random(1);
    std::vector<TokenId> text(static_cast<size_t>(tokens));
    for (TokenId& token : text) token = static_cast<TokenId>(random() % 63);
    LogitsInPasses(*model_, memory, text, 512, compute_);
    return LengthOf(model_->facts(), memory);
  }

  TempFolder folder_;
  ThreadPool threads_{2};
  Compute compute_{SelectKernelSet(), threads_};
  std::unique_ptr<Model> model_;
};

TEST_F(TextLengthTest, IsOfWhatTheMemoryHasReadAndTheModelWasMadeFor) {
  Load("llama");
  const TextLength length = LengthAfter(100, {});
  EXPECT_EQ(length.tokens, 100);
  EXPECT_EQ(length.trained_on, 1024);
  EXPECT_EQ(length.made_for, 1024);
  EXPECT_EQ(length.by, "");
  EXPECT_EQ(length.forgotten, 0);
  EXPECT_FALSE(NoteOf(length));
}

TEST_F(TextLengthTest, NamesTheMethodForLongerTexts) {
  Load("llama");
  EXPECT_EQ(LengthAfter(10, {.max_tokens = 2048, .longer = ContextExtension::kDca}).by, "dca");
  EXPECT_EQ(LengthAfter(10, {.max_tokens = 2048, .longer = ContextExtension::kYarn}).by, "yarn");
  EXPECT_EQ(LengthAfter(10, {.max_tokens = 2048, .longer = ContextExtension::kNone}).by, "");
  EXPECT_EQ(LengthAfter(10, {.window = 64}).by, "window");
  // The checkpoint's config.json scales 64 tokens by 8, and says 1,024.
  Load("qwen3-yarn");
  const TextLength scaled = LengthAfter(10, {});
  EXPECT_EQ(scaled.by, "yarn");
  EXPECT_EQ(scaled.trained_on, 64);
  EXPECT_GT(scaled.made_for, 64);
}

// A token sees the sinks, the window before its page, and its page.
TEST_F(TextLengthTest, CountsWhatAWindowForgets) {
  Load("llama");
  for (const int64_t tokens : {64, 192, 193, 512, 1000, 1600}) {
    const int64_t page = (tokens - 1) / 64 * 64;
    const TextLength length = LengthAfter(tokens, {.window = 128, .sinks = 64});
    EXPECT_EQ(length.tokens, tokens);
    // A pass drops what its first token does not see any more.
    const int64_t pass = (tokens - 1) / 512 * 512;
    EXPECT_GE(length.forgotten, std::max<int64_t>(0, pass - 128 - 64)) << tokens;
    EXPECT_LE(length.forgotten, std::max<int64_t>(0, page - 128 - 64)) << tokens;
  }
}

TEST(TextLengthNoteTest, ThereIsNoneUpToTheTrainedLength) {
  EXPECT_FALSE(NoteOf(TextLength{.tokens = 1024, .trained_on = 1024, .made_for = 1024, .by = ""}));
  EXPECT_TRUE(NoteOf(TextLength{.tokens = 1025, .trained_on = 1024, .made_for = 1024, .by = ""}));
}

TEST(TextLengthNoteTest, SaysWhetherAnythingWasDone) {
  TextLength length{.tokens = 1500, .trained_on = 1024, .made_for = 1024, .by = "", .forgotten = 0};
  EXPECT_EQ(NoteOf(length)->text,
            "the text is 1500 tokens, and the model was trained on 1024: nothing was done about "
            "that, and what it says may make no sense");
  length.by = "dca";
  EXPECT_EQ(NoteOf(length)->text,
            "the text is 1500 tokens, and the model was trained on 1024; it reads more by dca");
  // The second number matters only where the text is longer than it.
  length.made_for = 1400;
  EXPECT_THAT(NoteOf(length)->text, HasSubstr("made for 1400"));
  length.made_for = 1500;
  EXPECT_THAT(NoteOf(length)->text, Not(HasSubstr("made for")));
}

TEST(TextLengthNoteTest, SaysFirstWhatIsForgotten) {
  const auto note = NoteOf(TextLength{
      .tokens = 900, .trained_on = 1024, .made_for = 1024, .by = "window", .forgotten = 640});
  ASSERT_TRUE(note);
  EXPECT_THAT(note->text, HasSubstr("900 tokens 640 are forgotten"));
  EXPECT_EQ(note->advice.size(), 2U);
  EXPECT_THAT(
      NoteOf(TextLength{.tokens = 2000, .trained_on = 1024, .by = "window", .forgotten = 1})->text,
      HasSubstr("2000 tokens 1 are forgotten"));
}

}  // namespace
}  // namespace tome
