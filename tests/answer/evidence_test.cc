#include "tome/answer/evidence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/random_text.h"
#include "tome/text/unicode.h"

namespace tome {
namespace {

using Evidence = std::vector<std::pair<int, std::string>>;

struct Parsed {
  Evidence evidence;
  std::string answer;
  bool not_found = false;
};

Parsed Parse(const std::vector<std::string>& pieces) {
  EvidenceParser parser;
  Parsed parsed;
  for (const std::string& piece : pieces) parsed.answer += parser.Push(piece);
  parsed.answer += parser.Finish();
  for (const EvidenceLine& line : parser.evidence()) {
    parsed.evidence.emplace_back(line.number, line.quote);
  }
  parsed.not_found = parser.not_found();
  return parsed;
}

TEST(EvidenceParser, ReadsNumberedLinesThenTheAnswer) {
  const Parsed parsed = Parse({"[1] One sentence.\n[3] Another.\nAnswer: It is so [1].\nIndeed."});
  EXPECT_THAT(parsed.evidence,
              testing::ElementsAre(std::pair(1, "One sentence."), std::pair(3, "Another.")));
  EXPECT_EQ(parsed.answer, "It is so [1].\nIndeed.");
}

TEST(EvidenceParser, TakesTheFormsThatModelsUse) {
  EXPECT_THAT(Parse({"> [2] A.\n1. B.\n\"C.\"\nEvidence below\n**Answer:** D"}).evidence,
              testing::ElementsAre(std::pair(2, "A."), std::pair(1, "B."), std::pair(2, "\"C.\"")));
  EXPECT_EQ(Parse({"**Answer:** D"}).answer, "D");
  EXPECT_EQ(Parse({"[1] 甲。\n答案：乙。"}).answer, "乙。");
  EXPECT_EQ(Parse({"<think>\n[1] not this\n</think>\n[1] this\nAnswer: x"}).evidence.size(), 1U);
}

TEST(EvidenceParser, ReadsOnBehindAThinkingBlockOfAnyLength) {
  EXPECT_EQ(Parse({"<think>[1] not this</think> [1] this\nAnswer: x"}).evidence,
            (Evidence{{1, "this"}}));
  EXPECT_EQ(Parse({"<think>\nhm</think>Answer: x"}).answer, "x");
  // A paragraph without a line end that is longer than a line of evidence may be.
  const std::string thought(3 * EvidenceParser::kMaxEvidenceLine, 'x');
  EXPECT_EQ(Parse({"<think>", thought, "</thi", "nk>\n[1] this\nAnswer: x"}).answer, "x");
  EXPECT_EQ(Parse({"<think>Answer: never closed"}).answer, "");
}

TEST(EvidenceParser, NumbersOfAnySizeAreNoHarm) {
  EXPECT_EQ(Parse({"[99999] a\n\"b\"\n"}).evidence, (Evidence{{99999, "a"}, {100000, "\"b\""}}));
  for (const char* number : {"100000", "2147483647", "2147483648", "99999999999999999999", "-1"}) {
    EXPECT_EQ(Parse({"[" + std::string(number) + "] a\n\"b\"\n"}).evidence,
              (Evidence{{1, "\"b\""}}))
        << number;
  }
}

TEST(EvidenceParser, AnAnswerIsNotBoundedAsALineOfEvidenceIs) {
  const std::string answer(2 * EvidenceParser::kMaxEvidenceLine, 'x');
  EXPECT_EQ(Parse({"Answer: " + answer + "\nMore."}).answer, answer + "\nMore.");
}

TEST(EvidenceParser, KnowsThatNothingWasFound) {
  EXPECT_TRUE(Parse({"NOT FOUND"}).not_found);
  EXPECT_TRUE(Parse({"未找到。\n"}).not_found);
  EXPECT_FALSE(Parse({"[1] It was not found.\nAnswer: Lost."}).not_found);
}

TEST(EvidenceParser, HoldsBackNoMoreThanALine) {
  const Parsed parsed = Parse({"[1] " + std::string(1 << 20, 'x') + "\n"});
  ASSERT_EQ(parsed.evidence.size(), 1U);
  EXPECT_LE(parsed.evidence[0].second.size(), EvidenceParser::kMaxEvidenceLine);
}

TEST(EvidenceParser, AnyCutsGiveTheSame) {
  const std::string text =
      "<think>hm\n</think>\n[1] Eins.\n> [2] 二。\n\nAnswer: Drei [1][2].\nVier.\n";
  const Parsed whole = Parse({text});
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    const Parsed parsed = Parse({text.substr(0, cut), text.substr(cut)});
    EXPECT_EQ(parsed.evidence, whole.evidence) << cut;
    EXPECT_EQ(parsed.answer, whole.answer) << cut;
  }
}

TEST(EvidenceParser, ManyCutsGiveTheSame) {
  static constexpr std::string_view kParts[] = {
      "[1] ",   "[2]",    "3. ",       "> ",     "\"", "“",       "「",       "Answer:", "answer：",
      "答案：", "未找到", "NOT FOUND", "**",     "# ", "<think>", "</think>", "\n",      "\n",
      "\r\n",   " ",      "灯塔",      "a lamp", "[",  "]",       "Ans",      "<thi",    "\t"};
  std::mt19937 random(20261125);
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (size_t i = random() % 24; i > 0; --i) text += kParts[random() % std::size(kParts)];
    std::vector<std::string> pieces;
    for (size_t at = 0; at < text.size();) {
      pieces.push_back(text.substr(at, 1 + random() % 6));
      at += pieces.back().size();
    }
    const Parsed whole = Parse({text});
    const Parsed cut = Parse(pieces);
    ASSERT_EQ(cut.evidence, whole.evidence) << text;
    ASSERT_EQ(cut.answer, whole.answer) << text;
    ASSERT_EQ(cut.not_found, whole.not_found) << text;
  }
}

TEST(MarkRewriter, RenumbersListsOfNumbers) {
  const auto rewritten = [](std::string_view text) {
    MarkRewriter rewriter({{1, 7}, {3, 8}});
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) out += rewriter.Push(text.substr(i, 1));
    return out + rewriter.Finish();
  };
  EXPECT_EQ(rewritten("a [1, 3] b"), "a [7][8] b");
  EXPECT_EQ(rewritten("a [1,2,3]"), "a [7][8]");
  EXPECT_EQ(rewritten("甲[1，3]乙[1、3]。"), "甲[7][8]乙[7][8]。");
  for (const std::string_view other : {"[]", "[,]", "[1,]", "[ ]", "[1 3]", "[1, see]", "[1-3]",
                                       "[甲]", "[99999999999]", "[1, 3"}) {
    EXPECT_EQ(rewritten(other), other);
  }
  const std::string endless = "[" + std::string(1000, '1');
  EXPECT_EQ(rewritten(endless), endless);
}

TEST(MarkRewriter, RenumbersAndDrops) {
  const std::string text = "a [1] b [2][3] [see] [12] [[1]] [";
  const std::map<int, int> numbers{{1, 7}, {3, 8}};
  const std::string expected = "a [7] b [8] [see]  [[7]] [";
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    MarkRewriter rewriter(numbers);
    std::string out = rewriter.Push(text.substr(0, cut));
    out += rewriter.Push(text.substr(cut));
    EXPECT_EQ(out + rewriter.Finish(), expected) << cut;
  }
}

TEST(FindQuote, FindsTheBytesOfTheDocument) {
  const std::string first = "Nothing of interest stands here.";
  const std::string second = "He said:  “the\nlamp — was lit”. 鲸油换成了煤油灯。";
  const std::vector<ShownText> shown{{first, 0}, {second, 1000}};
  const auto found = [&](std::string_view quote) -> std::string {
    const auto place = FindQuote(quote, shown);
    if (!place) return "none";
    const ShownText& text = shown[place->shown];
    return std::string(text.text.substr(place->span.begin - text.begin, place->span.size()));
  };
  EXPECT_EQ(found("interest stands"), "interest stands");
  EXPECT_EQ(found("\"interest stands here.\""), "interest stands here.");
  EXPECT_EQ(found("the lamp - was LIT"), "the\nlamp — was lit");
  EXPECT_EQ(found("鲸油换成了煤油灯。"), "鲸油换成了煤油灯。");
  EXPECT_EQ(found("鲸油 换成了煤油灯"), "鲸油换成了煤油灯");
  EXPECT_EQ(found("interest stood here"), "none");
  EXPECT_EQ(found("the"), "none");  // too short to prove anything
  EXPECT_EQ(found(""), "none");
  EXPECT_EQ(found("interest \xFF stands here"), "none");
  EXPECT_EQ(FindQuote("lamp — was lit", shown)->span.begin, 1000 + second.find("lamp"));
}

TEST(FindQuote, WhatItFindsLiesInTheTextAtCharacterBorders) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  int hits = 0;
  for (int round = 0; round < 300; ++round) {
    const std::string text = NormalizeText(RandomText(random, 60));
    const uint64_t a = FloorToCodePoint(text, random() % (text.size() + 1));
    const uint64_t b = FloorToCodePoint(text, random() % (text.size() + 1));
    const std::string quote = text.substr(std::min(a, b), std::max(a, b) - std::min(a, b));
    const auto found = FindQuote(quote, {{text, 50}});
    if (!found) continue;
    ++hits;
    ASSERT_GE(found->span.begin, 50U);
    ASSERT_LE(found->span.end, text.size() + 50);
    EXPECT_TRUE(IsValidUtf8(text.substr(found->span.begin - 50, found->span.size())));
  }
  EXPECT_GT(hits, 50);
}

// What a quote and its place in a text must agree in, folded in another way than the code under
// test: letters and digits alone, ASCII ones in lower case.
std::string Letters(std::string_view text) {
  std::string letters;
  for (uint64_t offset = 0; offset < text.size();) {
    const uint64_t begin = offset;
    const char32_t c = NextCodePoint(text, offset);
    if (IsLetterOrDigit(c)) letters += LowerAscii(text.substr(begin, offset - begin));
  }
  return letters;
}

TEST(FindQuote, FindsWhatDiffersInSpaceCaseAndMarksAlone) {
  std::mt19937 random(20261125);
  int hits = 0;
  for (int round = 0; round < 1000; ++round) {
    const std::string text = NormalizeText(RandomText(random, 60));
    const uint64_t a = FloorToCodePoint(text, random() % (text.size() + 1));
    const uint64_t b = FloorToCodePoint(text, random() % (text.size() + 1));
    std::string quote;
    for (uint64_t at = std::min(a, b); at < std::max(a, b);) {
      const uint64_t begin = at;
      const char32_t c = NextCodePoint(text, at);
      std::string_view written = std::string_view(text).substr(begin, at - begin);
      if (IsWhiteSpace(c)) {
        written = random() % 2 == 0 ? "\n" : " \u00A0";
      } else if (c == U'”') {
        written = "\"";
      } else if (c == U'’') {
        written = "'";
      } else if (c == U'-') {
        written = "—";
      }
      quote += random() % 2 == 0 ? LowerAscii(written) : std::string(written);
      if (random() % 8 == 0) quote += ' ';
    }
    uint64_t weight = 0;
    const std::string letters = Letters(quote);
    for (uint64_t offset = 0; offset < letters.size();) {
      weight += IsCjk(NextCodePoint(letters, offset)) ? 2 : 1;
    }
    const auto found = FindQuote(quote, {{"Something else.", 7}, {text, 50}});
    ASSERT_EQ(found.has_value(), weight >= kMinQuoteWeight) << quote << "\nin\n" << text;
    if (!found) continue;
    ++hits;
    ASSERT_EQ(found->shown, 1U);
    ASSERT_GE(found->span.begin, 50U);
    ASSERT_LE(found->span.end, text.size() + 50);
    const std::string place = text.substr(found->span.begin - 50, found->span.size());
    EXPECT_TRUE(IsValidUtf8(place));
    EXPECT_EQ(Letters(place), letters);
  }
  EXPECT_GT(hits, 500);
}

TEST(FindQuote, PunctuationProvesNothing) {
  const std::string text =
      "a 。。。。。。。。 b •••••••••• c ■■■■■■■■■■ d ×÷×÷×÷×÷×÷ e → → → → → → → → f "
      "😀😀😀😀😀😀😀😀";
  for (const std::string_view quote : {"。。。。。。。。", "••••••••••", "■■■■■■■■■■", "×÷×÷×÷×÷×÷",
                                       "→ → → → → → → →", "😀😀😀😀😀😀😀😀"}) {
    EXPECT_FALSE(FindQuote(quote, {{text, 0}})) << quote;
  }
  // Eight letters of any script, or four CJK characters, do.
  EXPECT_TRUE(FindQuote("новыйдом", {{"новыйдом", 0}}));
  EXPECT_FALSE(FindQuote("новыйдо", {{"новыйдо", 0}}));
  EXPECT_TRUE(FindQuote("软件管理", {{"软件管理", 0}}));
  EXPECT_FALSE(FindQuote("软件管", {{"软件管", 0}}));
}

TEST(FindQuote, TakesTheTextThatHasItWordForWordFirst) {
  const std::vector<ShownText> shown{{"the LAMP was lit", 10}, {"so the lamp was lit", 100}};
  EXPECT_EQ(FindQuote("the lamp was lit", shown)->shown, 1U);
  EXPECT_EQ(FindQuote("The Lamp was lit", shown)->shown, 0U);
  EXPECT_FALSE(FindQuote("the lamp was lit", {}));
  EXPECT_FALSE(FindQuote("the lamp was lit", {{"", 0}}));
}

}  // namespace
}  // namespace tome
