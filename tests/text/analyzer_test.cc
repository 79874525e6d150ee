#include "tome/text/analyzer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <random>
#include <string>
#include <vector>

#include "tests/random_text.h"
#include "tome/text/unicode.h"

namespace tome {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::StartsWith;

struct Analyzed {
  std::string text;
  TermKind kind;
  uint64_t begin;
  uint64_t end;

  friend bool operator==(const Analyzed&, const Analyzed&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Analyzed& term) {
    return out << term.text << " " << static_cast<int>(term.kind) << " [" << term.begin << ", "
               << term.end << ")";
  }
};

class AnalyzerTest : public testing::Test {
 protected:
  std::vector<Analyzed> Terms(std::string_view text) {
    std::vector<Analyzed> terms;
    analyzer_.Analyze(text, [&](const Term& term) {
      terms.push_back({std::string(term.text), term.kind, term.begin, term.end});
    });
    return terms;
  }
  std::vector<std::string> Words(std::string_view text) {
    std::vector<std::string> words;
    for (const Analyzed& term : Terms(text)) words.push_back(term.text);
    EXPECT_EQ(TermsOf(text, analyzer_), words);
    return words;
  }

  Analyzer analyzer_;
};

TEST_F(AnalyzerTest, TakesWordsWithTheirSpansAndNothingBetween) {
  EXPECT_THAT(Terms("Edit  /etc/apt, é!"), ElementsAre(Analyzed{"edit", TermKind::kWord, 0, 4},
                                                       Analyzed{"etc", TermKind::kWord, 7, 10},
                                                       Analyzed{"apt", TermKind::kWord, 11, 14},
                                                       Analyzed{"e", TermKind::kWord, 16, 18}));
  EXPECT_THAT(Terms(" .,;:!?()[]{}<>@#$%^&*-_=+|~`\"'\n\t。，、；：「」…—€©"), IsEmpty());
  EXPECT_THAT(Terms(""), IsEmpty());
}

TEST_F(AnalyzerTest, FoldsCaseWidthAndDiacritics) {
  EXPECT_EQ(analyzer_.Fold("DEBIAN"), "debian");
  EXPECT_EQ(analyzer_.Fold("Ｄｅｂｉａｎ"), "debian");
  EXPECT_EQ(analyzer_.Fold("Débïan"), "debian");
  EXPECT_EQ(analyzer_.Fold("De\u0301bian"), "debian");
  EXPECT_EQ(analyzer_.Fold("Straße"), analyzer_.Fold("STRASSE"));
  EXPECT_EQ(analyzer_.Fold("ﬁle"), "file");
  EXPECT_EQ(analyzer_.Fold("ΆΛΦΑ"), "αλφα");
  EXPECT_EQ(analyzer_.Fold("１２"), "12");
}

// The pairs are from the sample vocabularies published with Snowball's English and Russian
// stemmers.
TEST_F(AnalyzerTest, StemsAsSnowballsVocabulariesSay) {
  constexpr std::pair<std::string_view, std::string_view> kStems[] = {{"consistently", "consist"},
                                                                      {"conspicuous", "conspicu"},
                                                                      {"consignment", "consign"},
                                                                      {"knightly", "knight"},
                                                                      {"running", "run"},
                                                                      {"skies", "sky"},
                                                                      {"dying", "die"},
                                                                      {"news", "news"},
                                                                      {"generously", "generous"},
                                                                      {"вагоны", "вагон"},
                                                                      {"важная", "важн"},
                                                                      {"важный", "важн"},
                                                                      {"важнейшими", "важн"},
                                                                      {"печалей", "печал"},
                                                                      {"падении", "паден"},
                                                                      {"новый", "нов"},
                                                                      {"нового", "нов"}};
  for (const auto& [word, stem] : kStems) EXPECT_EQ(analyzer_.Fold(word), stem) << word;
  EXPECT_EQ(analyzer_.Fold("ёлки"), analyzer_.Fold("елки"));
}

TEST_F(AnalyzerTest, JoinsNumbersAndDropsTheirCommas) {
  EXPECT_EQ(Words("10,000"), Words("10000"));
  EXPECT_THAT(Words("3.14, 1,000.50. 7,"), ElementsAre("3.14", "1000.50", "7"));
  EXPECT_THAT(Words("sources.list v1.2"), ElementsAre("sourc", "list", "v1.2"));
  EXPECT_THAT(Words("1..2 3,,4"), ElementsAre("1", "2", "3", "4"));
}

TEST_F(AnalyzerTest, AnApostropheJoinsOnlyInsideAWord) {
  EXPECT_THAT(Words("Tom's tom's Tom’s"), ElementsAre("tom", "tom", "tom"));
  EXPECT_THAT(Terms("'dogs'"), ElementsAre(Analyzed{"dog", TermKind::kWord, 1, 5}));
  EXPECT_THAT(Terms("a'' b"), ElementsAre(Analyzed{"a", TermKind::kWord, 0, 1},
                                          Analyzed{"b", TermKind::kWord, 4, 5}));
}

TEST_F(AnalyzerTest, GivesEachCjkCharacterAndEachPairAtItsFirst) {
  EXPECT_THAT(Terms("软件a库。包"), ElementsAre(Analyzed{"软", TermKind::kUnigram, 0, 3},
                                                Analyzed{"软件", TermKind::kBigram, 0, 6},
                                                Analyzed{"件", TermKind::kUnigram, 3, 6},
                                                Analyzed{"a", TermKind::kWord, 6, 7},
                                                Analyzed{"库", TermKind::kUnigram, 7, 10},
                                                Analyzed{"包", TermKind::kUnigram, 13, 16}));
  EXPECT_THAT(Words("ひカ한"), ElementsAre("ひ", "ひカ", "カ", "カ한", "한"));
  EXPECT_THAT(Terms("𠀀𠀁"), ElementsAre(Analyzed{"𠀀", TermKind::kUnigram, 0, 4},
                                         Analyzed{"𠀀𠀁", TermKind::kBigram, 0, 8},
                                         Analyzed{"𠀁", TermKind::kUnigram, 4, 8}));
}

TEST_F(AnalyzerTest, FoldsHalfWidthKatakanaAndCompatibilityIdeographs) {
  EXPECT_EQ(Words("ｱｲ"), Words("アイ"));
  EXPECT_EQ(Words("\uF900"), Words("\u8C48"));
  EXPECT_THAT(Terms("ｱ"), ElementsAre(Analyzed{"ア", TermKind::kUnigram, 0, 3}));
}

TEST_F(AnalyzerTest, TraditionalAndSimplifiedCharactersAreTheSameTerms) {
  EXPECT_EQ(Words("臺灣的軟體與頭髮"), Words("台湾的软体与头发"));
  EXPECT_EQ(Words("裏面"), Words("裡面"));
  EXPECT_EQ(Words("乾隆"), Words("干隆")) << "characters fold whatever the word";
  EXPECT_EQ(Words("\uF9DE"), Words("吏")) << "a compatibility ideograph";
  EXPECT_EQ(Words("\uF902"), Words("车")) << "a traditional one";
  EXPECT_THAT(Terms("a開𫔭"), ElementsAre(Analyzed{"a", TermKind::kWord, 0, 1},
                                          Analyzed{"开", TermKind::kUnigram, 1, 4},
                                          Analyzed{"开开", TermKind::kBigram, 1, 8},
                                          Analyzed{"开", TermKind::kUnigram, 4, 8}))
      << "spans are those of the text";
}

TEST_F(AnalyzerTest, CutsScriptsWithoutSpacesByDictionary) {
  EXPECT_THAT(Terms("ภาษาไทย"), ElementsAre(Analyzed{"ภาษา", TermKind::kWord, 0, 12},
                                            Analyzed{"ไทย", TermKind::kWord, 12, 21}));
}

TEST_F(AnalyzerTest, ThePunctuationOfScriptsWithoutSpacesIsNotIndexed) {
  EXPECT_THAT(Words("\u104A\u104B"), IsEmpty()) << "Burmese little section, section";
  EXPECT_THAT(Words("\u17D4\u17DB"), IsEmpty()) << "Khmer full stop, riel sign";
  EXPECT_THAT(Words("\u0E3F\u0E4F"), IsEmpty()) << "baht sign, Thai fongman";
  EXPECT_EQ(Words("ไทย\u0E5A").size(), 1U);
}

TEST_F(AnalyzerTest, AMarkAloneTakesAPosition) {
  EXPECT_THAT(Terms("\u0301"), ElementsAre(Analyzed{"\u0301", TermKind::kWord, 0, 2}));
}

TEST_F(AnalyzerTest, CutsAnEndlessWordBetweenCharacters) {
  EXPECT_EQ(analyzer_.Fold(std::string(1000, 'q')), std::string(kMaxTermBytes, 'q'));
  std::string wide;
  for (int i = 0; i < 300; ++i) wide += "ə";
  const std::string term = analyzer_.Fold(wide);
  EXPECT_EQ(term.size(), kMaxTermBytes - 1) << "31 characters of two bytes";
  EXPECT_TRUE(IsValidUtf8(term));
  EXPECT_THAT(Terms(std::string(1000, 'q')),
              ElementsAre(Analyzed{std::string(kMaxTermBytes, 'q'), TermKind::kWord, 0, 1000}));
}

TEST_F(AnalyzerTest, EveryTermHoldsItsPromises) {
  for (unsigned seed = 0; seed < 400; ++seed) {
    std::mt19937 random(seed);
    const std::string text = RandomText(random, random() % 60);
    uint64_t position_end = 0;
    uint64_t begin = 0;
    bool after_unigram = false;
    for (const Analyzed& term : Terms(text)) {
      SCOPED_TRACE(testing::Message() << "seed " << seed << ": " << term);
      EXPECT_FALSE(term.text.empty());
      EXPECT_LE(term.text.size(), kMaxTermBytes);
      EXPECT_TRUE(IsValidUtf8(term.text));
      EXPECT_EQ(term.text.find('\0'), std::string::npos);
      EXPECT_EQ(term.text.find('"'), std::string::npos);
      EXPECT_LT(term.begin, term.end);
      EXPECT_LE(term.end, text.size());
      EXPECT_EQ(FloorToCodePoint(text, term.begin), term.begin);
      EXPECT_EQ(FloorToCodePoint(text, term.end), term.end);
      if (term.kind == TermKind::kBigram) {
        EXPECT_TRUE(after_unigram);
        EXPECT_EQ(term.begin, begin);
      } else {
        EXPECT_GE(term.begin, position_end);
        position_end = term.end;
      }
      begin = term.begin;
      after_unigram = term.kind == TermKind::kUnigram;
    }
  }
}

TEST_F(AnalyzerTest, TextsApartAreAnalyzedAsTextsAlone) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    const std::string first = RandomText(random, random() % 20);
    const std::string second = RandomText(random, random() % 20);
    std::vector<Analyzed> expected = Terms(first);
    for (Analyzed term : Terms(second)) {
      term.begin += first.size() + 1;
      term.end += first.size() + 1;
      expected.push_back(term);
    }
    EXPECT_EQ(Terms(first + " " + second), expected) << "seed " << seed;
  }
}

TEST_F(AnalyzerTest, TheCacheOfStemsChangesNothing) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    std::mt19937 random(seed);
    const std::string text = RandomText(random, 40);
    const std::vector<Analyzed> first = Terms(text);
    EXPECT_EQ(Terms(text), first) << "seed " << seed;
    Analyzer fresh;
    std::vector<Analyzed> again;
    fresh.Analyze(text, [&](const Term& term) {
      again.push_back({std::string(term.text), term.kind, term.begin, term.end});
    });
    EXPECT_EQ(again, first) << "seed " << seed;
  }
}

TEST(AnalyzerVersionTest, NamesWhatTheTermsDependOn) {
  EXPECT_THAT(AnalyzerVersion(),
              testing::MatchesRegex("tome-[0-9]+ icu-[0-9.]+ snowball-[0-9]+ opencc-[0-9a-f]+"));
}

}  // namespace
}  // namespace tome
