#include "tome/documents/readers/page_layout.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "tome/base/error.h"
#include "tome/documents/readers/page_furniture.h"
#include "tome/text/unicode.h"

namespace tome {
namespace {

constexpr float kWidth = 600;
constexpr float kHeight = 800;
constexpr float kLineDistance = 12;

struct Face {
  float size = 10;
  bool bold = false;
  bool mono = false;
};

// Sets lines by hand. Every Latin letter is half an em wide, every CJK character a whole em.
class TestPage {
 public:
  TestPage() {
    page_.width = kWidth;
    page_.height = kHeight;
  }

  // Places the words of `line` from `x` on and returns where the line ends.
  float Line(float x, float y, std::string_view line, Face face = {}) {
    while (!line.empty()) {
      const size_t end = std::min(line.find(' '), line.size());
      const std::string_view text = line.substr(0, end);
      const float width = WidthOf(text, face.size);
      if (!text.empty()) {
        page_.words.push_back({.text = std::string(text),
                               .box = {x, y, x + width, y + face.size},
                               .font_size = face.size,
                               .bold = face.bold,
                               .mono = face.mono,
                               .space_after = end < line.size()});
      }
      x += width + face.size * (face.mono ? 0.5F : 0.3F);
      line.remove_prefix(std::min(end + 1, line.size()));
    }
    return x;
  }

  // Sets lines one below another. Each is stretched to end at `right` unless it ends with '|'.
  void Block(float x, float y, float right, const std::vector<std::string_view>& lines) {
    for (std::string_view line : lines) {
      const size_t first = page_.words.size();
      const bool full = !line.ends_with('|');
      if (!full) line.remove_suffix(1);
      Line(x, y, line);
      if (full && page_.words.size() > first) page_.words.back().box.right = right;
      y += kLineDistance;
    }
  }

  PageWords Take() { return std::move(page_); }
  PageWords& words() { return page_; }

 private:
  static float WidthOf(std::string_view text, float size) {
    float width = 0;
    for (uint64_t offset = 0; offset < text.size();) {
      width += NextCodePoint(text, offset) >= 0x2E80 ? size : size / 2;
    }
    return width;
  }

  PageWords page_;
};

Document LayOut(std::vector<PageWords> pages, const std::vector<OutlineEntry>& outline = {}) {
  DocumentBuilder builder("pdf");
  LayOutPages(std::move(pages), outline, {}, builder);
  Document document = std::move(builder).Finish();
  CheckDocument(document);
  return document;
}

Document LayOut(TestPage& page) {
  std::vector<PageWords> pages;
  pages.push_back(page.Take());
  return LayOut(std::move(pages));
}

TEST(PageLayoutTest, JoinsLinesIntoParagraphsAtIndentsAndWhiteSpace) {
  TestPage page;
  page.Block(50, 100, 300, {"The first line of it", "goes on here and then", "ends.|"});
  page.Block(60, 136, 300, {"An indented one"});
  page.Block(50, 148, 300, {"follows it at once.", "It has three lines.|"});
  page.Block(50, 190, 300, {"White space divides as", "well.|"});
  EXPECT_EQ(LayOut(page).text,
            "The first line of it goes on here and then ends.\n\n"
            "An indented one follows it at once. It has three lines.\n\n"
            "White space divides as well.");
}

// Returns two columns of ten lines under a title that spans both.
TestPage TwoColumns() {
  TestPage page;
  page.Line(100, 60, "A title over both columns of the page", {.size = 16, .bold = true});
  for (int i = 0; i < 10; ++i) {
    const auto y = 100 + kLineDistance * static_cast<float>(i);
    page.Block(50, y, 290, {i == 9 ? "left nine is cut in the mid-" : "left words of a full line"});
    page.Block(310, y, 550,
               {i == 0   ? "dle and goes on"
                : i == 9 ? "end.|"
                         : "right words of a line"});
  }
  return page;
}

TEST(PageLayoutTest, ReadsColumnsOneAfterTheOther) {
  TestPage page = TwoColumns();
  const std::string text = LayOut(page).text;
  EXPECT_EQ(text.find("A title over both columns of the page\n\nleft words"), 0U) << text;
  EXPECT_NE(text.find("left nine is cut in the middle and goes on right words"), std::string::npos)
      << text;
  EXPECT_EQ(text.find("left", text.find("right")), std::string::npos) << text;
}

TEST(PageLayoutTest, ReadsThreeColumnsAndBandsAroundASpanningCaption) {
  TestPage page;
  const auto band = [&](float top, const std::string& name) {
    for (int i = 0; i < 6; ++i) {
      const auto y = top + kLineDistance * static_cast<float>(i);
      for (int c = 0; c < 3; ++c) {
        const auto x = 50 + 170 * static_cast<float>(c);
        page.Block(x, y, x + 150, {name + std::to_string(c) + " has some text"});
      }
    }
  };
  band(100, "upper");
  page.Line(60, 200, "Figure 1: a caption that runs over the gutters of all three columns of it");
  band(240, "lower");
  const std::string text = LayOut(page).text;
  size_t at = 0;
  for (const std::string_view part :
       {"upper0", "upper1", "upper2", "Figure 1", "lower0", "lower1", "lower2"}) {
    const size_t found = text.find(part);
    ASSERT_NE(found, std::string::npos) << part;
    EXPECT_GE(found, at) << part << " in " << text;
    at = found;
  }
}

TEST(PageLayoutTest, KeepsRowsOfTablesTogether) {
  TestPage page;
  for (int i = 0; i < 6; ++i) {
    const auto y = 100 + 14 * static_cast<float>(i);
    page.Line(50, y, "name" + std::to_string(i));
    page.Line(150, y, "value " + std::to_string(i));
    page.Line(300, y, "a longer description of it");
  }
  const std::string text = LayOut(page).text;
  EXPECT_EQ(text.substr(0, text.find("name2")),
            "name0 | value 0 | a longer description of it\n"
            "name1 | value 1 | a longer description of it\n");
}

TEST(PageLayoutTest, MendsWordsThatALineEndDivides) {
  TestPage page;
  page.Block(50, 100, 300,
             {"All the infor-", "mation is in a well-", "known place of X-", "Ray pre-",
              "and post-production.|"});
  page.Block(50, 200, 300, {"A well-known fact.|"});
  EXPECT_EQ(LayOut(page).text,
            "All the information is in a well-known place of X-Ray pre- and post-production.\n\n"
            "A well-known fact.");
}

TEST(PageLayoutTest, PrefersTheJoinedFormThatTheDocumentUses) {
  TestPage page;
  page.Block(50, 100, 300, {"They co-", "operate there.|"});
  page.Block(50, 150, 300, {"To cooperate or co-operate.|"});
  EXPECT_EQ(LayOut(page).text, "They cooperate there.\n\nTo cooperate or co-operate.");
}

TEST(PageLayoutTest, PutsNoSpaceBetweenChineseLines) {
  TestPage page;
  page.Block(
      50, 100, 300,
      {"他在一个很长的句子中间换了行，", "然后继续使用 Linux", "系统，“引用”，", "没有空格。|"});
  EXPECT_EQ(LayOut(page).text,
            "他在一个很长的句子中间换了行，然后继续使用 Linux 系统，“引用”，没有空格。");
}

std::vector<PageWords> Book(int count, bool roman) {
  static constexpr std::array<std::string_view, 6> kRoman{"i", "ii", "iii", "iv", "v", "vi"};
  std::vector<PageWords> pages;
  for (int p = 0; p < count; ++p) {
    const bool left = p % 2 == 0;
    TestPage page;
    const std::string number =
        roman ? std::string(kRoman[static_cast<size_t>(p)]) : std::to_string(p + 11);
    page.Line(left ? 50 : 450, 30, left ? "The Book" : "Its Chapter");
    page.Block(50, 80, 550,
               {"Page " + std::string(1, static_cast<char>('A' + p)) + " begins,",
                "goes on and is full to the"});
    page.Line(left ? 50 : 540, 770, number);
    pages.push_back(page.Take());
  }
  return pages;
}

TEST(PageLayoutTest, LeavesOutRunningHeadersAndReadsPageNumbers) {
  for (const bool roman : {false, true}) {
    const Document document = LayOut(Book(6, roman));
    EXPECT_EQ(document.text.find("Book"), std::string::npos) << document.text;
    EXPECT_EQ(document.text.find("Chapter"), std::string::npos) << document.text;
    ASSERT_EQ(document.pages.size(), 6U);
    EXPECT_EQ(document.pages[0].label, roman ? "i" : "11");
    EXPECT_EQ(document.pages[3].label, roman ? "iv" : "14");
  }
}

TEST(PageLayoutTest, ContinuesParagraphsOverPages) {
  std::vector<PageWords> pages;
  TestPage first;
  first.Block(50, 700, 550,
              {"A sentence that reaches the end of its", "page without an end to the hy-"});
  TestPage second;
  second.Block(50, 80, 550, {"phen and goes on there", "to its end.|"});
  pages.push_back(first.Take());
  pages.push_back(second.Take());
  const Document document = LayOut(std::move(pages));
  EXPECT_EQ(document.text,
            "A sentence that reaches the end of its page without an end to the hyphen and goes on "
            "there to its end.");
  ASSERT_EQ(document.pages.size(), 2U);
  EXPECT_EQ(document.pages[1].span.begin, document.text.find("phen and"));
}

TEST(PageLayoutTest, BreaksBetweenPagesWhereASentenceEnds) {
  std::vector<PageWords> pages(2);
  TestPage first;
  first.Block(50, 700, 550, {"This sentence ends with its full line", "and with its page."});
  TestPage second;
  second.Block(50, 80, 550, {"Another one begins", "here.|"});
  pages[0] = first.Take();
  pages[1] = second.Take();
  EXPECT_NE(LayOut(std::move(pages)).text.find("page.\n\nAnother"), std::string::npos);
}

TEST(PageLayoutTest, KeepsListingsLineByLineWithTheirIndentation) {
  TestPage page;
  const Face mono{.size = 9, .mono = true};
  page.Block(50, 80, 550, {"A listing of code follows here:|"});
  page.Line(50, 110, "if (x) {", mono);
  page.Line(59, 121, "return", mono);
  page.Line(140, 121, "// done", mono);
  page.Line(50, 132, "}", mono);
  EXPECT_EQ(LayOut(page).text,
            "A listing of code follows here:\n\nif (x) {\n  return            // done\n}");
}

TEST(PageLayoutTest, KeepsRaisedLettersInTheirLine) {
  TestPage page;
  const float end = page.Line(50, 100, "E = mc");
  page.words().words.push_back(
      {.text = "2", .box = {end - 3, 98, end + 1, 104}, .font_size = 6, .space_after = true});
  page.Line(end + 4, 100, "is known.");
  EXPECT_EQ(LayOut(page).text, "E = mc2 is known.");
}

TEST(PageLayoutTest, ReadsAPageThatRunsUpAndStampsBesideOneThatDoesNot) {
  TestPage turned;
  turned.words().words = {
      {.text = "first", .box = {100, 400, 110, 430}, .space_after = true, .turn = 3},
      {.text = "line", .box = {100, 370, 110, 397}, .turn = 3},
      {.text = "second", .box = {114, 400, 124, 430}, .turn = 3}};
  EXPECT_EQ(LayOut(turned).text, "first line second");
  TestPage stamped;
  stamped.words().words = {{.text = "stamp", .box = {10, 300, 20, 330}, .turn = 3}};
  stamped.Block(50, 100, 300, {"Upright text.|"});
  EXPECT_EQ(LayOut(stamped).text, "Upright text.\n\nstamp");
}

TEST(PageLayoutTest, PlacesOutlineEntriesAtTheirLines) {
  TestPage page;
  page.Line(50, 60, "Chapter 2", {.size = 16, .bold = true});
  page.Line(50, 80, "Second things", {.size = 16, .bold = true});
  page.Block(50, 110, 550, {"Some text mentions first.|"});
  page.Line(50, 140, "2.1 A part", {.bold = true});
  page.Block(50, 153, 550, {"Part text.|"});
  std::vector<PageWords> pages;
  pages.push_back(page.Take());
  const Document document =
      LayOut(std::move(pages), {{.level = 1, .title = "Second things", .page = 0, .y = 55},
                                {.level = 2, .title = "A part", .page = 0, .y = 135},
                                {.level = 2, .title = "Nowhere to be seen", .page = 0, .y = 150}});
  ASSERT_EQ(document.sections.size(), 3U);
  EXPECT_EQ(document.sections[0].title, "Chapter 2 Second things");
  EXPECT_EQ(document.sections[1].title, "2.1 A part");
  EXPECT_EQ(document.sections[1].parent, 0);
  EXPECT_EQ(document.sections[1].span.begin, document.text.find("2.1 A part"));
  EXPECT_EQ(document.sections[2].span.begin, document.text.find("Part text."));
}

TEST(PageLayoutTest, TakesLargeLinesAsHeadingsWithoutAnOutline) {
  std::vector<PageWords> pages;
  for (int p = 0; p < 3; ++p) {
    TestPage page;
    page.Line(50, 60, "Title " + std::string(1, static_cast<char>('A' + p)), {.size = 18});
    for (int i = 0; i < 20; ++i) {
      page.Block(50, 100 + kLineDistance * static_cast<float>(i), 550,
                 {"plain words that fill the whole line of the page"});
    }
    pages.push_back(page.Take());
  }
  const Document document = LayOut(std::move(pages));
  ASSERT_EQ(document.sections.size(), 3U);
  EXPECT_EQ(document.sections[2].title, "Title C");
  EXPECT_EQ(document.sections[2].level, 1);
}

TEST(PageLayoutTest, CountsEmptyPagesAndSpellsOutLigatures) {
  std::vector<PageWords> pages(3);
  TestPage page;
  page.Line(50, 100,
            "e\xEF\xAC\x83"
            "cient \xEF\xAC\x81les");
  pages[1] = page.Take();
  const Document document = LayOut(std::move(pages));
  EXPECT_EQ(document.text, "efficient files");
  EXPECT_EQ(document.pages.size(), 3U);
}

// Makes pages of words in any place, of any size and direction, some of them not on any page.
class AnyPages {
 public:
  explicit AnyPages(uint32_t seed) : random_(seed) {}

  // Returns pages whose words have the texts that `text` gives.
  template <typename Text>
  std::vector<PageWords> Next(const Text& text) {
    ++round_;
    std::vector<PageWords> pages(1 + random_() % 5);
    for (PageWords& page : pages) {
      page.width = round_ % 7 == 0 ? kNan : kWidth;
      page.height = round_ % 11 == 0 ? -1 : kHeight;
      for (size_t i = random_() % 60; i > 0; --i) {
        page.words.push_back({.text = text(random_),
                              .box = {Coordinate(), Coordinate(), Coordinate(), Coordinate()},
                              .font_size = Coordinate() / 20,
                              .bold = random_() % 4 == 0,
                              .mono = random_() % 3 == 0,
                              .space_after = random_() % 2 == 0,
                              .turn = static_cast<uint8_t>(random_() % 9 == 0 ? random_() : 0)});
      }
    }
    return pages;
  }

  static constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

 private:
  float Coordinate() {
    const auto r = static_cast<uint32_t>(random_());
    return r % 50 == 0 ? kNan : r % 51 == 0 ? 1e30F : static_cast<float>(r % 800);
  }

  std::mt19937 random_;
  int round_ = 0;
};

bool IsOnAPage(const Box& box) {
  for (const float value : {box.left, box.top, box.right, box.bottom}) {
    if (std::isnan(value) || value > 1e5F) return false;
  }
  return true;
}

// Words that differ are no furniture, and without hyphens and dots nothing is mended or left out.
TEST(PageLayoutTest, WritesEveryWordOnceAndOnItsPage) {
  constexpr uint32_t kSeed = 7;
  AnyPages any(kSeed);
  int number = 0;
  const auto text = [&](std::mt19937& random) {
    if (random() % 20 == 0) return std::string(random() % 3, ' ');  // nothing to see
    // A capital shows where a word begins, since layout may put words side by side.
    std::string word = "Q";
    for (int digits = number++, i = 0; i < 4; ++i, digits /= 26) {
      word += static_cast<char>('a' + digits % 26);
    }
    return word;
  };
  size_t written = 0;
  for (int round = 0; round < 200; ++round) {
    std::vector<PageWords> pages = any.Next(text);
    std::vector<std::vector<std::string>> expected;
    for (const PageWords& page : pages) {
      std::vector<std::string>& words = expected.emplace_back();
      for (const Word& word : page.words) {
        if (word.text.starts_with('Q') && IsOnAPage(word.box)) words.push_back(word.text);
      }
      std::sort(words.begin(), words.end());
    }
    const Document document =
        LayOut(std::move(pages), {{.level = 3, .title = "x", .page = 2, .y = AnyPages::kNan}});
    ASSERT_EQ(document.pages.size(), expected.size()) << "round " << round;
    std::string outside = document.text;  // everything but words
    for (size_t p = 0; p < expected.size(); ++p) {
      const TextSpan& span = document.pages[p].span;
      const std::string page = document.text.substr(span.begin, span.size());
      std::vector<std::string> words;
      for (size_t at = page.find('Q'); at != std::string::npos; at = page.find('Q', at + 1)) {
        words.push_back(page.substr(at, 5));
        outside.replace(span.begin + at, words.back().size(), words.back().size(), ' ');
      }
      std::sort(words.begin(), words.end());
      EXPECT_EQ(words, expected[p]) << "round " << round << ", page " << p;
      written += words.size();
    }
    EXPECT_EQ(outside.find_first_not_of(" \n|"), std::string::npos) << document.text;
  }
  EXPECT_GT(written, 10000U);
}

TEST(PageLayoutTest, AcceptsAnyWords) {
  constexpr uint32_t kSeed = 7;
  AnyPages any(kSeed);
  const auto text = [](std::mt19937& random) {
    return std::string(random() % 6, static_cast<char>(random()));
  };
  size_t letters = 0;
  for (int round = 0; round < 200; ++round) {
    std::vector<PageWords> pages = any.Next(text);
    std::array<size_t, 128> given{};
    for (const PageWords& page : pages) {
      for (const Word& word : page.words) {
        for (const char c : word.text) {
          if (c > ' ') ++given[static_cast<size_t>(c)];
        }
      }
    }
    const size_t count = pages.size();
    const Document document =
        LayOut(std::move(pages), {{.level = 3, .title = "x", .page = 2, .y = AnyPages::kNan}});
    EXPECT_EQ(document.pages.size(), count) << "round " << round;
    EXPECT_EQ(document.sections.size(), 1U) << "round " << round;
    EXPECT_EQ(NormalizeText(document.text), document.text) << "round " << round;
    EXPECT_EQ(document.text.find("\n\n\n"), std::string::npos) << "round " << round;
    // Nothing but bars between the cells of tables is added. Bytes that are not UTF-8 become U+FFFD.
    std::array<size_t, 128> written{};
    for (uint64_t at = 0; at < document.text.size();) {
      const char32_t c = NextCodePoint(document.text, at);
      if (c >= 128) {
        EXPECT_EQ(c, 0xFFFDU) << "round " << round;
      } else if (c > ' ' && c != '|') {
        ++written[c];
        ++letters;
      }
    }
    for (size_t c = 0; c < written.size(); ++c) {
      EXPECT_LE(written[c], given[c]) << "round " << round << ", character " << c;
    }
  }
  EXPECT_GT(letters, 10000U);
}

TEST(PageLayoutTest, StopsWhenAsked) {
  std::stop_source source;
  source.request_stop();
  WorkControl control;
  control.stop = source.get_token();
  DocumentBuilder builder("pdf");
  EXPECT_THROW(LayOutPages(std::vector<PageWords>(1), {}, control, builder), Error);
}

TEST(RomanValueTest, ReadsCanonicalNumeralsOnly) {
  EXPECT_EQ(RomanValue("i"), 1);
  EXPECT_EQ(RomanValue("xiv"), 14);
  EXPECT_EQ(RomanValue("MCMXCIX"), 1999);
  for (const std::string_view bad : {"", "iiii", "vx", "Xi", "hello", "iix"}) {
    EXPECT_EQ(RomanValue(bad), 0) << bad;
  }
}

}  // namespace
}  // namespace tome
