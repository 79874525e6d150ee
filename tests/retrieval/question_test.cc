#include "tome/retrieval/question.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "tests/expect_error.h"
#include "tests/random_text.h"
#include "tome/store/term_stream.h"

namespace tome {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

// Returns a stream as text: "sourc list" for a phrase of two terms.
std::string Readable(std::string_view stream) {
  std::string text;
  std::string_view term;
  bool colocated = false;
  while (NextTerm(stream, term, colocated)) {
    text += (text.empty() ? "" : " ") + std::string(term);
  }
  return text;
}

class QuestionTest : public testing::Test {
 protected:
  std::vector<std::string> Terms(const std::string& text) {
    std::vector<std::string> terms;
    for (const QueryTerm& term : ParseQuestion(text, analyzer_).terms) {
      terms.push_back(Readable(term.stream));
    }
    return terms;
  }
  const QueryTerm& Find(const Question& question, const std::string& readable) {
    for (const QueryTerm& term : question.terms) {
      if (Readable(term.stream) == readable) return term;
    }
    ADD_FAILURE() << "no term " << readable;
    return question.terms.at(0);
  }

  Analyzer analyzer_;
};

TEST_F(QuestionTest, LeavesQuestionWordsOut) {
  EXPECT_THAT(Terms("How do I install the packages?"), UnorderedElementsAre("instal", "packag"));
  EXPECT_THAT(Terms("WHAT IS DEBIAN"), ElementsAre("debian"));
}

TEST_F(QuestionTest, KeepsQuestionWordsWhereNothingElseRemains) {
  EXPECT_THAT(Terms("What is it?"), UnorderedElementsAre("what", "is", "it"));
  EXPECT_THAT(Terms("是什么"), Not(IsEmpty()));
}

TEST_F(QuestionTest, WordsJoinedByPunctuationAreAPhraseAsWell) {
  EXPECT_THAT(Terms("Where is sources.list?"), UnorderedElementsAre("sourc list", "sourc", "list"));
  EXPECT_THAT(Terms("apt-get"), UnorderedElementsAre("apt get", "apt", "get"));
  EXPECT_THAT(Terms("/etc/apt/sources.list"), Contains("etc apt sourc list"));
  EXPECT_THAT(Terms("apt get"), UnorderedElementsAre("apt", "get")) << "a space joins nothing";
  EXPECT_THAT(Terms("one　two"), UnorderedElementsAre("one", "two")) << "nor does a wide one";
}

TEST_F(QuestionTest, ALeftOutWordCountsInsideAJoinedGroup) {
  EXPECT_THAT(Terms("end-to-end tests"), UnorderedElementsAre("end to end", "end", "to", "test"));
}

TEST_F(QuestionTest, SearchesChineseByThePairsThatRemain) {
  const Question question = ParseQuestion("如何管理软件包？", analyzer_);
  std::vector<std::string> terms;
  for (const QueryTerm& term : question.terms) terms.push_back(Readable(term.stream));
  EXPECT_THAT(terms, Contains("管理"));
  EXPECT_THAT(terms, Contains("软件"));
  EXPECT_THAT(terms, Not(Contains("如何")));
  EXPECT_THAT(terms, Not(Contains("何管")));
  EXPECT_THAT(terms, Not(Contains("理软"))) << "a pair across two words of the dictionary";
  // "包" is a word of one character: its pair with a neighbour may be a word that the dictionary
  // lacks.
  EXPECT_LT(Find(question, "件包").weight, Find(question, "软件").weight);
  EXPECT_THAT(terms, Not(Contains("包"))) << "it is in a pair";
  EXPECT_LT(Find(ParseQuestion("包的大小", analyzer_), "包").weight, Find(question, "件包").weight);
}

TEST_F(QuestionTest, MixesScripts) {
  const auto terms = Terms("Debian 的软件源是什么？");
  EXPECT_THAT(terms, Contains("debian"));
  EXPECT_THAT(terms, Contains("软件"));
  EXPECT_THAT(terms, Not(Contains("什么")));
  EXPECT_THAT(terms, Not(Contains("的")));
}

struct ChineseCase {
  const char* question;
  std::vector<std::string> searched;
};

// Each question with all that it is about. The dictionary cuts the question words in various ways,
// alone and together with their neighbours (她是|什么时候, 要花|多少钱, 多少个|字, 怎么|办).
TEST_F(QuestionTest, CompoundQuestionWordsOfChineseAreNotSearched) {
  const ChineseCase cases[] = {
      {"上海什么时候解放的？", {"上海", "解放"}},
      {"她是什么时候到上海的", {"上海"}},
      {"上海是哪一年解放的", {"上海", "解放"}},
      {"何时何地解放", {"解放"}},
      {"上海是什么东西", {"上海"}},
      {"上海是什么地方", {"上海"}},
      {"解放是什么意思", {"解放"}},
      {"上海有没有解放", {"上海", "解放"}},
      {"上海没有解放", {"上海", "解放"}},
      {"上海还没有解放吗", {"上海", "解放"}},
      {"是不是要解放上海", {"解放", "上海"}},
      {"能不能解放上海", {"解放", "上海"}},
      {"会不会解放上海", {"解放", "上海"}},
      {"可不可以解放上海", {"解放", "上海"}},
      {"解放要多久", {"解放"}},
      {"解放需要多长时间", {"解放"}},
      {"解放要多少钱", {"解放"}},
      {"上海多少个解放", {"上海", "解放"}},
      {"上海有多大", {"上海"}},
      {"为什么解放上海", {"解放", "上海"}},
      {"为啥解放上海", {"解放", "上海"}},
      {"上海怎么样", {"上海"}},
      {"上海解放怎么办", {"上海", "解放"}},
      {"上海解放是怎么回事", {"上海", "解放"}},
      {"上海在哪里", {"上海"}},
      {"上海在哪儿", {"上海"}},
      {"哪几个解放了上海", {"解放", "上海"}},
      {"上海有几种解放", {"上海", "解放"}},
      {"解放上海的是谁", {"解放", "上海"}},
      {"到底是谁解放了上海", {"解放", "上海"}},
      {"知不知道上海", {"知道", "上海"}},
  };
  for (const ChineseCase& one : cases) {
    EXPECT_THAT(Terms(one.question), testing::UnorderedElementsAreArray(one.searched))
        << one.question;
  }
}

TEST_F(QuestionTest, WordsOfTwoFunctionCharactersKeepTheirTopic) {
  EXPECT_THAT(Terms("对应的是什么"), ElementsAre("对应"));
  EXPECT_THAT(Terms("中将都是谁"), ElementsAre("中将"));
  EXPECT_THAT(Terms("应对的是什么"), ElementsAre("应对"));
}

TEST_F(QuestionTest, TraditionalQuestionsAreThoseOfSimplifiedCharacters) {
  const std::pair<const char*, const char*> cases[] = {
      {"為什麼臺灣的軟體沒有繁體介面？", "为什么台湾的软体没有繁体介面？"},
      {"她是什麼時候到後面那個村裡去的", "她是什么时候到后面那个村里去的"},
      {"這本書是誰寫的", "这本书是谁写的"},
      {"有沒有別的東西？需要多長時間？", "有没有别的东西？需要多长时间？"},
      {"“頭髮”怎麼樣", "“头发”怎么样"},
  };
  for (const auto& [traditional, simplified] : cases) {
    const Question one = ParseQuestion(traditional, analyzer_);
    const Question other = ParseQuestion(simplified, analyzer_);
    ASSERT_EQ(one.terms.size(), other.terms.size()) << traditional;
    for (size_t i = 0; i < one.terms.size(); ++i) {
      EXPECT_EQ(one.terms[i].stream, other.terms[i].stream) << traditional;
      EXPECT_EQ(one.terms[i].weight, other.terms[i].weight) << traditional;
    }
  }
}

TEST_F(QuestionTest, AQuotedPhraseIsRequiredInAllFourKindsOfQuotes) {
  for (const char* text :
       {"what of \"stable release\" dates", "what of “stable release” dates",
        "what of 「stable release」 dates", "what of 『stable release』 dates"}) {
    const Question question = ParseQuestion(text, analyzer_);
    EXPECT_THAT(question.phrases, ElementsAre("stable release")) << text;
    const QueryTerm& phrase = Find(question, "stabl releas");
    EXPECT_TRUE(phrase.required) << text;
    EXPECT_FALSE(Find(question, "date").required) << text;
    EXPECT_GT(phrase.weight, Find(question, "date").weight) << text;
  }
}

TEST_F(QuestionTest, AQuotedPhraseKeepsItsStopWords) {
  EXPECT_THAT(Terms("\"to be or not\""), Contains("to be or not"));
  const Question chinese = ParseQuestion("“是什么”", analyzer_);
  EXPECT_TRUE(Find(chinese, "是什 什么").required);
}

TEST_F(QuestionTest, QuotesThatHoldNoWordOrNeverEndAreNoPhrases) {
  EXPECT_THAT(ParseQuestion("a 5\" disk", analyzer_).phrases, IsEmpty());
  EXPECT_THAT(ParseQuestion("disk \"\" “…”", analyzer_).phrases, IsEmpty());
  EXPECT_THAT(ParseQuestion("「disk” size", analyzer_).phrases, IsEmpty());
  EXPECT_THAT(ParseQuestion("\"a disk\" and \"a drive\"", analyzer_).phrases,
              ElementsAre("a disk", "a drive"));
}

TEST_F(QuestionTest, NormalizesItsText) {
  EXPECT_EQ(ParseQuestion("  what\n is e\u0301te\u0301 ", analyzer_).text, "what is été");
  EXPECT_EQ(ParseQuestion("debian\xFF", analyzer_).text, "debian\uFFFD");
}

TEST_F(QuestionTest, AQuestionWithoutWordsIsRefused) {
  for (const char* text : {"", "   ", "?!…", "\xFF\xFE", "。？"}) {
    EXPECT_TRUE(Fails(Code::kInvalidArgument, [&] { ParseQuestion(text, analyzer_); })) << text;
  }
}

TEST_F(QuestionTest, TheLongestQuestionIsTakenAndOneByteMoreRefused) {
  EXPECT_NO_THROW(ParseQuestion(std::string(kMaxQuestionBytes, 'x'), analyzer_));
  EXPECT_TRUE(Fails(Code::kInvalidArgument,
                    [&] { ParseQuestion(std::string(kMaxQuestionBytes + 1, 'x'), analyzer_); }));
}

TEST_F(QuestionTest, AnyQuestionWithAWordGivesDistinctTermsUpToTheLimit) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    std::mt19937 random(seed);
    const std::string text = RandomText(random, 1 + random() % (seed % 10 == 0 ? 600 : 12));
    Question question;
    try {
      question = ParseQuestion(text, analyzer_);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kInvalidArgument) << "seed " << seed;
      continue;
    }
    EXPECT_FALSE(question.terms.empty()) << "seed " << seed << ": " << text;
    EXPECT_LE(question.terms.size(), kMaxQuestionTerms) << "seed " << seed;
    std::set<std::string> streams;
    for (const QueryTerm& term : question.terms) {
      EXPECT_GT(term.weight, 0) << "seed " << seed;
      EXPECT_FALSE(Readable(term.stream).empty()) << "seed " << seed;
      EXPECT_TRUE(streams.insert(term.stream).second) << "seed " << seed;
    }
  }
}

TEST_F(QuestionTest, CharactersThatTheDictionaryJoinsToPunctuationAreStillAsked) {
  EXPECT_THAT(Terms("한_"), ElementsAre("한"));
  EXPECT_THAT(Terms("ア_"), ElementsAre("ア"));
}

TEST_F(QuestionTest, APhraseIsFoundWhereItsTextStands) {
  EXPECT_EQ(Readable(PhraseStream("软件管理", analyzer_)), "软件 件管 管理");
  EXPECT_EQ(Readable(PhraseStream("软件a库", analyzer_)), "软件 件 a 库");
  EXPECT_EQ(Readable(PhraseStream("软", analyzer_)), "软");
  EXPECT_EQ(PhraseStream("…", analyzer_), "");
}

}  // namespace
}  // namespace tome
