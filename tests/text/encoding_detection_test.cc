#include "tome/text/encoding_detection.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/text/encode.h"
#include "tome/text/encoding.h"

namespace tome {
namespace {

constexpr std::string_view kChinese =
    "第一章 初到北京。\n他在火车站等了很久，没有人来接他。天色已经晚了，街上的灯一盏一盏亮起来。\n";
constexpr std::string_view kTraditional =
    "第一章 初到臺北。\n他在火車站等了很久，沒有人來接他。天色已經晚了，街上的燈一盞一盞亮起來。\n";
constexpr std::string_view kJapanese =
    "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。\n";
constexpr std::string_view kKorean =
    "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다. 인간은 천부적으로 이성과 "
    "양심을 부여받았다.\n";
constexpr std::string_view kRussian =
    "Все люди рождаются свободными и равными в своем достоинстве и правах. Они наделены разумом и "
    "совестью.\n";
constexpr std::string_view kFrench =
    "Tous les êtres humains naissent libres et égaux en dignité et en droits. «Déjà» près de là.\n";

TEST(EncodingDetectionTest, ABomDecides) {
  using namespace std::string_view_literals;
  EXPECT_EQ(EncodingOfBom("\xEF\xBB\xBFx"), "UTF-8");
  EXPECT_EQ(EncodingOfBom("\xFF\xFEx\0"sv), "UTF-16LE");
  EXPECT_EQ(EncodingOfBom("\xFE\xFF\0x"sv), "UTF-16BE");
  EXPECT_EQ(EncodingOfBom("\xFF\xFE\0\0x\0\0\0"sv), "UTF-32LE");
  EXPECT_EQ(EncodingOfBom("\0\0\xFE\xFF\0\0\0x"sv), "UTF-32BE");
  EXPECT_EQ(EncodingOfBom("\x84\x31\x95\x33x"sv), "GB18030");
  EXPECT_EQ(EncodingOfBom("x"), std::nullopt);
  EXPECT_FALSE(DetectEncoding("\xFF\xFEx\0"sv).is_guess);
}

TEST(EncodingDetectionTest, WellFormedUtf8IsNoGuess) {
  for (const std::string_view text : {kChinese, kFrench, std::string_view("plain"), {}}) {
    EXPECT_EQ(DetectEncoding(text).name, "UTF-8");
    EXPECT_FALSE(DetectEncoding(text).is_guess);
  }
}

TEST(EncodingDetectionTest, GuessesTheUsualEncodingsOfShortAndLongTexts) {
  struct Case {
    std::string_view text;
    const char* encoding;
    const char* name;
  };
  const Case cases[] = {
      {kChinese, "GB18030", "GB18030"},         {kTraditional, "GB18030", "GB18030"},
      {kTraditional, "Big5", "Big5"},           {kJapanese, "Shift_JIS", "Shift_JIS"},
      {kJapanese, "EUC-JP", "EUC-JP"},          {kJapanese, "ISO-2022-JP", "ISO-2022-JP"},
      {kKorean, "EUC-KR", "windows-949"},       {kRussian, "windows-1251", "windows-1251"},
      {kRussian, "KOI8-R", "KOI8-R"},           {kFrench, "windows-1252", "windows-1252"},
      {kChinese, "UTF-16LE", "UTF-16LE"},       {kChinese, "UTF-16BE", "UTF-16BE"},
      {kFrench, "UTF-16LE", "UTF-16LE"},        {kRussian, "UTF-16BE", "UTF-16BE"},
      {"今天天气很好。", "GB18030", "GB18030"},
  };
  for (const Case& c : cases) {
    for (const int times : {1, 30, 4000}) {
      std::string text;
      for (int i = 0; i < times; ++i) text += c.text;
      const DetectedEncoding found = DetectEncoding(Encode(text, c.encoding));
      EXPECT_EQ(found.name, c.name) << c.encoding << " times " << times;
      EXPECT_TRUE(found.is_guess);
    }
  }
}

TEST(EncodingDetectionTest, FindsTheEncodingOfALateNonAsciiPart) {
  std::string bytes;
  while (bytes.size() < 700'000) bytes += "An English preface without any accent.\n";
  for (int i = 0; i < 40; ++i) bytes += Encode(kChinese, "GB18030");
  while (bytes.size() < 2'000'000) bytes += "And an English appendix.\n";
  EXPECT_EQ(DetectEncoding(bytes).name, "GB18030");
}

TEST(EncodingDetectionTest, DamagedUtf8IsStillUtf8) {
  std::string bytes;
  for (int i = 0; i < 20; ++i) bytes += kChinese;
  bytes[bytes.size() / 2] = '\xFF';
  const DetectedEncoding found = DetectEncoding(bytes);
  EXPECT_EQ(found.name, "UTF-8");
  EXPECT_TRUE(found.is_guess);
}

TEST(EncodingDetectionTest, ChecksADeclarationByDecoding) {
  const std::string gbk = Encode(kChinese, "GB18030");
  EXPECT_TRUE(DecodesWell(gbk, "GB18030"));
  EXPECT_FALSE(DecodesWell(gbk, "UTF-8"));
  EXPECT_FALSE(DecodesWell(kChinese, "Shift_JIS"));
  EXPECT_TRUE(DecodesWell("", "GB18030"));
}

TEST(EncodingDetectionTest, TellsBinaryDataFromText) {
  EXPECT_TRUE(LooksBinary(std::string_view("PK\x03\x04\0text", 9)));
  std::mt19937 random(7);
  std::string noise(20'000, ' ');
  for (char& c : noise) c = static_cast<char>(1 + random() % 255);
  EXPECT_TRUE(LooksBinary(noise));
  EXPECT_FALSE(LooksBinary("a\tb\r\nc\f\x1A"));
  EXPECT_FALSE(LooksBinary(Encode(kJapanese, "ISO-2022-JP")));
  EXPECT_FALSE(LooksBinary(""));
}

TEST(EncodingDetectionTest, AsciiWithSomeNulBytesIsNoUtf16) {
  std::string lines;
  // A NUL before a line end looks like a line end of UTF-16BE.
  for (int i = 0; i < 100; ++i) lines += std::string("The lamp burned whale oil.\0\n", 28);
  EXPECT_EQ(DetectEncoding(lines).name, "UTF-8");
  EXPECT_TRUE(LooksBinary(lines));
}

TEST(EncodingDetectionTest, AnyBytesGetANameThatDecodes) {
  std::mt19937 random(11);
  for (int i = 0; i < 500; ++i) {
    std::string bytes(random() % 300, ' ');
    const unsigned low = random() % 2 == 0 ? 0 : 128;
    for (char& c : bytes) c = static_cast<char>(low + random() % (256 - low));
    const DetectedEncoding found = DetectEncoding(bytes);
    EXPECT_NO_THROW(DecodeToUtf8(bytes, found.name, 1 << 20)) << "round " << i;
  }
}

}  // namespace
}  // namespace tome
