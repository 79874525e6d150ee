#include "tome/answer/prompt_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tests/expect_error.h"
#include "tests/library/library_fixture.h"
#include "tests/models/golden_model.h"

namespace tome {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

using Tokens = std::vector<TokenId>;

class PromptReaderTest : public LibraryFixture {
 protected:
  PromptReaderTest() { Load("llama"); }

  // Loads a golden model, which was made for 1,024 tokens.
  void Load(const std::string& variant) {
    WriteGoldenModel(variant, folder_ / variant);
    WriteLetterTokenizer(folder_ / variant);
    model_ = LanguageModel::Open(folder_ / variant, 2);
  }

  PromptReader NewReader() {
    return {library_, {*model_, measurements_}, documents_, options_, limits_};
  }

  static Tokens RandomTokens(size_t count, uint32_t seed) {
    std::mt19937 random(seed);
    Tokens tokens(count);
    for (TokenId& token : tokens) token = static_cast<TokenId>(random() % 63);
    return tokens;
  }
  static Tokens Joined(Tokens a, const Tokens& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
  }
  static Tokens First(const Tokens& tokens, size_t count) {
    return {tokens.begin(), tokens.begin() + static_cast<ptrdiff_t>(count)};
  }

  // Reads a prompt and checks that the session is in the state of one that has read it alone.
  // Returns how many tokens were read for it.
  int64_t Read(PromptReader& reader, const Tokens& prompt, const PromptBeginning& beginning = {}) {
    uint64_t read = 0;
    reader.Read(prompt, beginning,
                {.stop = {},
                 .progress = [&](std::string_view, uint64_t, uint64_t total) { read = total; }});
    const Session* session = reader.session();
    EXPECT_NE(session, nullptr);
    EXPECT_TRUE(std::ranges::equal(session->tokens(), prompt));
    EXPECT_EQ(session->memory().length(), std::ssize(prompt));
    EXPECT_GE(session->memory().max_tokens(), std::ssize(prompt) + limits_.answer_tokens);
    MemoryOptions memory = options_.memory;
    memory.kv =
        session->memory().has_kv() ? std::optional(session->memory().kv().type()) : std::nullopt;
    memory.max_tokens = session->memory().max_tokens();
    Session alone(model_->model(), model_->tokenizer(), model_->compute(),
                  model_->model().NewMemory(memory));
    alone.Prefill(prompt, {});
    EXPECT_TRUE(std::ranges::equal(session->logits(), alone.logits()));
    return static_cast<int64_t>(read);
  }

  Library library_ = Open();
  Measurements measurements_ = Measurements::Open(home(), {});
  std::unique_ptr<LanguageModel> model_;
  std::vector<NamedDocument> documents_;
  ModelAnswerOptions options_;
  TokenLimits limits_{.answer_tokens = 50};
};

TEST_F(PromptReaderTest, ReadsOnlyWhatThePromptBeforeDidNotHold) {
  PromptReader reader = NewReader();
  EXPECT_EQ(reader.session(), nullptr);
  const Tokens document = RandomTokens(300, 1);
  const Tokens first = Joined(document, RandomTokens(40, 2));
  EXPECT_EQ(Read(reader, first), 340);
  Tokens question = RandomTokens(25, 3);
  question[0] = first[300] == 7 ? 8 : 7;  // differs at once
  EXPECT_EQ(Read(reader, Joined(document, question)), 25);
  // The last token is read again, because its logits choose the next one.
  EXPECT_EQ(Read(reader, Joined(document, question)), 1);
  EXPECT_EQ(Read(reader, First(document, 100)), 1);
  EXPECT_EQ(Read(reader, document), 200);
  Tokens other = document;
  other[0] = other[0] == 7 ? 8 : 7;
  EXPECT_EQ(Read(reader, other), 300);
}

// Recurrent layers go back to a checkpoint, which may be the beginning, but never to other logits.
TEST_F(PromptReaderTest, ModelsWithStatesReadAsIfAlone) {
  for (const std::string variant : {"mamba", "jamba"}) {
    Load(variant);
    PromptReader reader = NewReader();
    const Tokens document = RandomTokens(300, 1);
    EXPECT_EQ(Read(reader, document), 300) << variant;
    EXPECT_EQ(Read(reader, Joined(document, RandomTokens(20, 2))), 20) << variant;
    EXPECT_EQ(Read(reader, Joined(document, RandomTokens(20, 3))), 20) << variant;
    Read(reader, Joined(First(document, 150), RandomTokens(30, 4)));
  }
}

TEST_F(PromptReaderTest, AMemoryHoldsPromptAndAnswer) {
  const auto length = [&](int64_t prompt) { return NewReader().NewMemory(prompt).max_tokens(); };
  EXPECT_EQ(length(100), 1024);
  EXPECT_EQ(length(974), 1024);
  EXPECT_EQ(length(975), 1025);
  EXPECT_EQ(length(5000), 5050);
  // A method for longer texts has lengths that later questions fit in.
  options_.memory.longer = ContextExtension::kDca;
  EXPECT_EQ(length(100), 1024);
  EXPECT_EQ(length(975), 2048);
  EXPECT_EQ(length(1998), 2048);
  EXPECT_EQ(length(1999), 4096);
  EXPECT_TRUE(NewReader().NewMemory(5000).positions().chunks);
  options_.memory.longer.reset();
  options_.memory.window = 64;
  EXPECT_GT(length(100), 1'000'000);
  EXPECT_TRUE(NewReader().NewMemory(5000).positions().streaming);
}

TEST_F(PromptReaderTest, AMemoryHasTheTypeThatItsLengthOrTheUserSays) {
  const auto type = [&](int64_t prompt) { return NewReader().NewMemory(prompt).kv().type(); };
  EXPECT_EQ(type(100), model_->model().facts().kv_type);
  EXPECT_EQ(type(kLongText), model_->model().facts().kv_type);
  EXPECT_EQ(type(kLongText + 1), KvType::kQ8);
  options_.memory.kv = KvType::kF32;
  EXPECT_EQ(type(100), KvType::kF32);
  EXPECT_EQ(type(kLongText + 1), KvType::kF32);
}

TEST_F(PromptReaderTest, APromptThatNoLongerFitsIsReadIntoALargerMemory) {
  PromptReader reader = NewReader();
  const Tokens document = RandomTokens(1200, 1);
  EXPECT_EQ(Read(reader, First(document, 900)), 900);
  EXPECT_EQ(Read(reader, First(document, 974)), 74);
  EXPECT_EQ(Read(reader, document), 1200);
  EXPECT_EQ(reader.session()->memory().max_tokens(), 1250);
}

TEST_F(PromptReaderTest, WholeDocumentsAreKeptUnderTheirNames) {
  for (const std::string_view name : {"a.txt", "b.txt"}) {
    documents_.push_back(
        {.id = library_.Add(folder_.Write(name, name), {}).id, .name = "my " + std::string(name)});
  }
  const Tokens document = RandomTokens(600, 1);
  {
    SnapshotStore store(folder_ / "kept", int64_t{1} << 30);
    options_.store = &store;
    PromptReader passages = NewReader();
    Read(passages, document, {.documents_whole = false});
    EXPECT_THAT(store.List(), IsEmpty());
    PromptReader reader = NewReader();
    Read(reader, Joined(document, RandomTokens(30, 2)), {.documents_whole = true});
    EXPECT_EQ(reader.session()->restored(), 0);
    const auto kept = store.List();
    ASSERT_EQ(kept.size(), 1U);
    EXPECT_EQ(kept[0].header.title, "my a.txt, my b.txt");
    EXPECT_EQ(kept[0].header.model, "llama");
    EXPECT_EQ(kept[0].header.root, model_->MemoryRoot(reader.session()->memory()));
    EXPECT_THAT(kept[0].header.documents, ElementsAre(library_.Show(documents_[0].id).hash,
                                                      library_.Show(documents_[1].id).hash));
  }
  SnapshotStore store(folder_ / "kept", int64_t{1} << 30);
  options_.store = &store;
  PromptReader again = NewReader();
  Tokens question = RandomTokens(30, 3);
  question[0] = RandomTokens(30, 2)[0] == 7 ? 8 : 7;
  Read(again, Joined(document, question), {.documents_whole = true});
  EXPECT_EQ(again.session()->restored(), 600);
}

TEST_F(PromptReaderTest, AStateIsKeptInFrontOfTheQuestion) {
  Load("mamba");
  documents_.push_back({.id = library_.Add(folder_.Write("a.txt", "a"), {}).id, .name = "a.txt"});
  SnapshotStore store(folder_ / "kept", int64_t{1} << 30);
  options_.store = &store;
  PromptReader reader = NewReader();
  Read(reader, RandomTokens(1500, 1), {.documents_whole = true, .before_question = 1400});
  const auto states = store.ListStates();
  EXPECT_TRUE(
      std::ranges::any_of(states, [](const auto& state) { return state.header.position == 1400; }));
}

TEST_F(PromptReaderTest, AReadingThatWasStoppedCanBeTakenUp) {
  PromptReader reader = NewReader();
  const Tokens prompt = RandomTokens(900, 1);
  std::stop_source source;
  const WorkControl control{.stop = source.get_token(),
                            .progress = [&](std::string_view, uint64_t done, uint64_t) {
                              if (done > 0) source.request_stop();
                            }};
  EXPECT_TRUE(Fails(Code::kCancelled, [&] { reader.Read(prompt, {}, control); }));
  EXPECT_LT(Read(reader, prompt), 900) << "the part that was read is there";
}

}  // namespace
}  // namespace tome
