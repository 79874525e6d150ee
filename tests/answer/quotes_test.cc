#include "tome/answer/quotes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/expect_error.h"
#include "tests/library/library_fixture.h"

namespace tome {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Matches a note whose text holds `words`.
auto Says(const std::string& words) { return testing::Field(&Note::text, HasSubstr(words)); }

class QuotesTest : public LibraryFixture {
 protected:
  Answer Ask(const std::string& question, const std::vector<NamedDocument>& documents = {},
             int top = kDefaultQuotes) {
    return AnswerWithQuotes(library_, question, documents, {.top = top}, {});
  }
  NamedDocument Add(std::string_view name, std::string_view content) {
    const auto path = folder_.Write(name, content);
    return {.id = library_.Add(path, {}).id, .name = std::string(name)};
  }
  // Checks the promises of every answer.
  void ExpectVerbatim(const Answer& answer) {
    for (const Citation& citation : answer.citations) {
      EXPECT_EQ(citation.quote, library_.Text(citation.document_id, citation.span));
      EXPECT_EQ(citation.page.has_value(),
                library_.PageOf(citation.document_id, citation.span.begin).has_value());
    }
    EXPECT_TRUE(std::is_sorted(answer.citations.begin(), answer.citations.end(),
                               [](const auto& a, const auto& b) { return a.score > b.score; }));
  }

  Library library_ = Open();
};

TEST_F(QuotesTest, QuotesTheSentenceWithItsPageAndSection) {
  const NamedDocument document =
      Add("a.txt",
          "---\n# Part\nNothing of use. Really nothing.\n---\n## 安装\nFirst rest a while. The "
          "needle lies in the haystack.\n");
  const Answer answer = Ask("Where is the needle?", {document});
  ExpectVerbatim(answer);
  ASSERT_EQ(answer.citations.size(), 1U);
  const Citation& citation = answer.citations[0];
  EXPECT_EQ(citation.quote, "First rest a while. The needle lies in the haystack.");
  EXPECT_EQ(citation.document, "a.txt");
  EXPECT_EQ(citation.document_id, document.id);
  EXPECT_EQ(citation.page, 2);
  EXPECT_EQ(citation.page_label, "p2");
  EXPECT_EQ(citation.section, "Part > 安装");
  EXPECT_GT(citation.score, 0);
  EXPECT_EQ(answer.text, "First rest a while. The needle lies in the haystack. [1]");
  EXPECT_EQ(answer.question, "Where is the needle?");
  EXPECT_EQ(answer.way, "quotes");
  EXPECT_THAT(answer.notes, IsEmpty());
  EXPECT_EQ(answer.document_tokens, library_.Show(document.id).tokens);
  EXPECT_EQ(answer.quoted_tokens, EstimateTokens(citation.quote));
  EXPECT_EQ(answer.read_characters, citation.quote.size());
  EXPECT_EQ(answer.document_characters, library_.Show(document.id).characters);
}

TEST_F(QuotesTest, SaysHowMuchOfTheDocumentsWasQuotedInCharacters) {
  const NamedDocument document = Add("a.txt", "# 甲\n玉上刻着字。\n\n# 乙\n别的话很多很多。\n");
  const Answer answer = Ask("刻着什么字", {document});
  ASSERT_EQ(answer.citations.size(), 1U);
  EXPECT_EQ(answer.citations[0].quote, "玉上刻着字。");
  EXPECT_EQ(answer.read_characters, 6U);
  const uint64_t characters = library_.Show(document.id).characters;
  EXPECT_EQ(answer.document_characters, characters);
  Add("b.txt", "An unrelated text.");
  EXPECT_EQ(Ask("刻着什么字").document_characters, characters + 18U);  // the whole library
}

TEST_F(QuotesTest, SaysTrulyWhyTheyAreTheAnswer) {
  Add("a.txt", "The needle lies here.");
  EXPECT_THAT(Ask("needle").why.text, HasSubstr("no model was given"));
  const Answer asked = AnswerWithQuotes(library_, "needle", {}, {.why = WhyQuotes::kAskedFor}, {});
  EXPECT_EQ(asked.why.text, "asked for");
}

TEST_F(QuotesTest, WithoutPagesAndSectionsThereAreNone) {
  Add("a.txt", "The needle lies here.");
  const Answer answer = Ask("needle");
  ASSERT_EQ(answer.citations.size(), 1U);
  EXPECT_EQ(answer.citations[0].page, std::nullopt);
  EXPECT_EQ(answer.citations[0].section, std::nullopt);
  EXPECT_EQ(answer.citations[0].document, (folder_ / "a.txt").string())
      << "not named by the user: its path";
}

TEST_F(QuotesTest, AnswersInChinese) {
  Add("a.txt", "# 第一章\n今天天气很好。软件包由仓库管理。\n# 第二章\n别的事情。");
  const Answer answer = Ask("软件包由什么管理？");
  ExpectVerbatim(answer);
  ASSERT_FALSE(answer.citations.empty());
  EXPECT_EQ(answer.citations[0].quote, "今天天气很好。软件包由仓库管理。");
  EXPECT_EQ(answer.citations[0].section, "第一章");
}

TEST_F(QuotesTest, DropsWhatABetterQuoteSaysAlready) {
  Add("a.txt", "The needle lies in the big haystack of the farm.");
  Add("b.txt", "THE NEEDLE lies in the big haystack, of the farm!");
  Add("c.txt", "Another needle was sold in town.");
  const Answer answer = Ask("needle");
  ExpectVerbatim(answer);
  EXPECT_EQ(answer.citations.size(), 2U);
}

TEST_F(QuotesTest, GivesNoMoreQuotesThanWantedAndAsksOnlyTheDocumentsNamed) {
  std::vector<NamedDocument> documents;
  for (const char* name : {"ant", "bee", "cow", "dog", "eel", "fox"}) {
    documents.push_back(
        Add(std::string(name) + ".txt", std::string("The ") + name + " found a needle there."));
  }
  EXPECT_EQ(Ask("needle").citations.size(), static_cast<size_t>(kDefaultQuotes));
  EXPECT_EQ(Ask("needle", {}, 2).citations.size(), 2U);
  EXPECT_EQ(Ask("needle", {}, kMaxQuotes).citations.size(), 6U);
  const Answer one = Ask("needle", {documents[3]});
  ASSERT_EQ(one.citations.size(), 1U);
  EXPECT_EQ(one.citations[0].document, "dog.txt");
  EXPECT_LT(one.document_tokens, Ask("needle").document_tokens);
}

TEST_F(QuotesTest, SaysThatNothingWasFound) {
  Add("a.txt", "The needle lies here.");
  const Answer answer = Ask("elephants?");
  EXPECT_THAT(answer.citations, IsEmpty());
  EXPECT_EQ(answer.text, "");
  EXPECT_THAT(answer.notes, ElementsAre(Says("no passage holds any of the question's words")));
}

TEST_F(QuotesTest, SaysThatAQuotedPhraseWasNotFound) {
  Add("a.txt", "The needle lies here.");
  const Answer answer = Ask("\"needle here\" in the hay");
  EXPECT_THAT(answer.citations, IsEmpty());
  EXPECT_THAT(answer.notes, ElementsAre(Says("the quoted phrase \"needle here\"")));
  EXPECT_EQ(Ask("\"lies here\"").citations.size(), 1U);
}

TEST_F(QuotesTest, AnEmptyLibraryAnswersThatNothingWasFound) {
  EXPECT_THAT(Ask("needle").notes, ElementsAre(Says("no passage")));
}

TEST_F(QuotesTest, AQuestionWithoutWordsIsRefusedAndAStopObeyed) {
  Add("a.txt", "The needle lies here.");
  EXPECT_TRUE(Fails(Code::kInvalidArgument, [&] { Ask("?!"); }));
  std::stop_source source;
  source.request_stop();
  EXPECT_TRUE(Fails(Code::kCancelled, [&] {
    AnswerWithQuotes(library_, "needle", {}, {}, {.stop = source.get_token(), .progress = {}});
  }));
  EXPECT_TRUE(Fails(Code::kNotFound, [&] { Ask("needle", {{.id = 99, .name = "x"}}); }));
}

}  // namespace
}  // namespace tome
