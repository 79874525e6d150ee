#include "tome/store/term_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/random_text.h"

namespace tome {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

std::vector<std::pair<std::string, bool>> Decode(std::string_view stream) {
  std::vector<std::pair<std::string, bool>> terms;
  std::string_view term;
  bool colocated = false;
  while (NextTerm(stream, term, colocated)) terms.emplace_back(term, colocated);
  return terms;
}

TEST(TermStreamTest, WritesTheBytesThatTheLayoutSays) {
  std::string stream;
  AppendTerm("ab", stream);
  AppendColocatedTerm("c", stream);
  EXPECT_EQ(stream,
            "\x82"
            "ab\xC1"
            "c");
  AppendColocatedTerm(std::string(kMaxTermBytes, 'x'), stream);
  EXPECT_EQ(static_cast<unsigned char>(stream[5]), 0xFF);
}

TEST(TermStreamTest, GivesBackTheTermsOfTheAnalyzerInTheirOrder) {
  Analyzer analyzer;
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    const std::string text = RandomText(random, random() % 50);
    std::vector<std::pair<std::string, bool>> expected;
    uint32_t positions = 0;
    analyzer.Analyze(text, [&](const Term& term) {
      expected.emplace_back(term.text, term.kind == TermKind::kBigram);
      if (term.kind != TermKind::kBigram) ++positions;
    });
    const AnalyzedText analyzed = AnalyzeToStream(text, analyzer);
    EXPECT_EQ(Decode(analyzed.stream), expected) << "seed " << seed;
    EXPECT_EQ(analyzed.positions, positions) << "seed " << seed;
    // Without these characters a stream can stand inside a quoted string of a query.
    EXPECT_EQ(analyzed.stream.find('\0'), std::string::npos) << "seed " << seed;
    EXPECT_EQ(analyzed.stream.find('"'), std::string::npos) << "seed " << seed;
  }
}

TEST(TermStreamTest, EndsWhereAStreamIsMalformed) {
  EXPECT_THAT(Decode(""), IsEmpty());
  EXPECT_THAT(Decode("\x81"), IsEmpty()) << "no bytes";
  EXPECT_THAT(Decode("\x83"
                     "ab"),
              IsEmpty())
      << "too few bytes";
  EXPECT_THAT(Decode("\x80"
                     "ab"),
              IsEmpty())
      << "an empty term";
  EXPECT_THAT(Decode("ab"), IsEmpty()) << "no header";
  EXPECT_THAT(Decode("\x81"
                     "ab"),
              ElementsAre(Pair("a", false)));
}

TEST(TermStreamDeathTest, RefusesATermThatHasNoHeader) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  std::string stream;
  EXPECT_DEATH(AppendTerm("", stream), "internal error");
  EXPECT_DEATH(AppendTerm(std::string(kMaxTermBytes + 1, 'x'), stream), "internal error");
}

}  // namespace
}  // namespace tome
