// Random text of many scripts for property tests: well-formed UTF-8 in which words, marks,
// punctuation, line ends and rare characters meet in every order.
#pragma once

#include <cstddef>
#include <iterator>
#include <random>
#include <string>
#include <string_view>

namespace tome {

inline std::string RandomText(std::mt19937& random, size_t pieces) {
  static constexpr std::string_view kPieces[] = {
      "a",       "The",      "Mr.",        "running", "don't", "Tom’s",  "10,000",  "3.14",
      "e\u0301", "É",        "ß",          "İ",       "ﬁ",     "Ａ",     "９",      "软",
      "件",      "软件管理", "的",         "。",      "！",    "？",     "”",       "「",
      "」",      "カ",       "ｶﾞ",         "ひら",    "한국",  "สวัสดี",   "ภาษาไทย", "မြန်မာ",
      "ខ្មែរ",    "новый",    "ёлка",       "العربية", "हिन्दी", "\u0301", "\uFE0F",  "\u200D",
      "😀",      "𠀀",       "\U000E0100", "葛",      " ",     " ",      " ",       "\n",
      "\n\n",    "\t",       "　",         "\u00A0",  ".",     ",",      "'",       "\"",
      "-",       "_",        "(",          "...",     "; ",    ". ",     "? ",      "\u00AD"};
  std::string text;
  for (size_t i = 0; i < pieces; ++i) text += kPieces[random() % std::size(kPieces)];
  return text;
}

}  // namespace tome
