// Compares the folding with OpenCC itself, which converts by words where the folding looks at
// characters only.
#include "tome/text/han_folding.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "tests/temp_folder.h"
#include "tome/text/unicode.h"

namespace tome {
namespace {

std::string Folded(std::string_view text) {
  std::string folded;
  for (uint64_t offset = 0; offset < text.size();) {
    AppendUtf8(FoldHan(NextCodePoint(text, offset)), folded);
  }
  return folded;
}

class HanFoldingTest : public testing::Test {
 protected:
  // Returns what OpenCC's program makes of `text`, which ends with a line feed.
  std::string Converted(const std::string& text, const std::string& configuration) {
    const std::string in = folder_.Write("in.txt", text).string();
    const std::string out = (folder_ / "out.txt").string();
    const std::string command =
        std::string(TOME_OPENCC) + " -c " + configuration + ".json -i " + in + " -o " + out;
    EXPECT_EQ(std::system(command.c_str()), 0) << command;
    return FileBytes(out);
  }

  TempFolder folder_;
};

constexpr std::string_view kConfigurations[] = {"s2t",  "s2tw", "s2hk", "t2s",  "tw2s",
                                                "hk2s", "t2tw", "t2hk", "tw2t", "hk2t"};

TEST_F(HanFoldingTest, EachCharacterFoldsAsWhatOpenCcMakesOfIt) {
  std::string text;
  for (char32_t c = 0x3400; c <= 0x9FFF; ++c) {
    AppendUtf8(c, text);
    text += '\n';
  }
  for (const std::string_view configuration : kConfigurations) {
    EXPECT_EQ(Folded(Converted(text, std::string(configuration))), Folded(text)) << configuration;
  }
}

// Each sentence holds characters that become one of several, by the words around them.
TEST_F(HanFoldingTest, SentencesFoldAsWhatOpenCcMakesOfThem) {
  const std::string text =
      "皇后在后面的里屋里理发，头发发白，她发现干燥的面条和一只表。\n"
      "乾隆皇帝干脆说：台风过后，台湾的台阶和写字台都坏了；松树下的人很轻松。\n"
      "他只好征求意见，特征是复杂的覆盖关系；请答复，不要重复。\n"
      "制造系统的关系，联系历史日历，范围和模范，云彩和人云亦云，谷物在山谷。\n"
      "了解瞭望塔，凭借文凭借钱，余下的由于等于，显著的著作看着不错。\n";
  for (const char* configuration : {"s2t", "s2tw", "s2hk"}) {
    const std::string traditional = Converted(text, configuration);
    EXPECT_NE(traditional, text) << configuration;
    EXPECT_EQ(Folded(traditional), Folded(text)) << configuration;
  }
}

TEST_F(HanFoldingTest, FoldsTwiceAsOnce) {
  for (char32_t c = 0; c <= 0x3FFFF; ++c) {
    ASSERT_EQ(FoldHan(FoldHan(c)), FoldHan(c)) << std::hex << static_cast<uint32_t>(c);
  }
}

TEST_F(HanFoldingTest, LeavesAllElseAlone) {
  EXPECT_EQ(Folded("Tome 3.0, día, ひらがなカタカナ 한글 ไทย 😀"),
            "Tome 3.0, día, ひらがなカタカナ 한글 ไทย 😀");
  EXPECT_EQ(Folded("软件和文件的大小"), "软件和文件的大小") << "simplified characters stay";
  EXPECT_EQ(FoldHan(0x33FF), 0x33FFU);
  EXPECT_EQ(FoldHan(0xA000), 0xA000U);
  EXPECT_EQ(FoldHan(0x10FFFF), 0x10FFFFU);
}

TEST_F(HanFoldingTest, KeepsDifferentCharactersApart) {
  EXPECT_NE(Folded("未"), Folded("末"));
  EXPECT_NE(Folded("乾"), Folded("坤"));
  EXPECT_EQ(Folded("𫔭"), Folded("开")) << "beyond the Basic Multilingual Plane";
}

}  // namespace
}  // namespace tome
