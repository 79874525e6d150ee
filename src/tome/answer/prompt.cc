#include "tome/answer/prompt.h"

#include <fmt/format.h>

#include <cstdint>

#include "tome/text/unicode.h"

namespace tome {
namespace {

// Returns whether a character is Japanese or Korean; Han characters beside it are not Chinese. The
// katakana middle dot (U+30FB) does not count, because Chinese puts it between the parts of foreign
// names.
bool IsKanaOrHangul(char32_t c) {
  return (c >= 0x3041 && c <= 0x309F) || (c >= 0x30A1 && c <= 0x30FF && c != 0x30FB) ||
         (c >= 0x31F0 && c <= 0x31FF) || (c >= 0xFF66 && c <= 0xFF9D) ||
         (c >= 0x1100 && c <= 0x11FF) || (c >= 0x3131 && c <= 0x318E) ||
         (c >= 0xA960 && c <= 0xA97F) || (c >= 0xAC00 && c <= 0xD7FF) ||
         (c >= 0xFFA0 && c <= 0xFFDC);
}

}  // namespace

PromptLanguage LanguageOf(std::string_view question) {
  uint64_t han = 0;
  uint64_t letters = 0;
  for (uint64_t offset = 0; offset < question.size();) {
    const char32_t c = NextCodePoint(question, offset);
    if (IsKanaOrHangul(c)) return PromptLanguage::kEnglish;
    if (IsCjk(c)) {
      ++han;
    } else if (c < 0x80 ? (c | 0x20U) >= 'a' && (c | 0x20U) <= 'z' : c > 0xBF && c < 0x2000) {
      ++letters;
    }
  }
  // A Chinese question may name things in Latin letters. A word is about as long as two characters.
  return han * 3 > letters ? PromptLanguage::kChinese : PromptLanguage::kEnglish;
}

std::string_view NameOf(PromptLanguage language) {
  return language == PromptLanguage::kChinese ? "zh" : "en";
}

std::string PromptOf(std::string_view question, std::span<const std::string_view> texts,
                     std::string_view evidence) {
  std::string prompt;
  for (const std::string_view text : texts) prompt += fmt::format("{}\n\n", text);
  return prompt + FollowUpPromptOf(question, evidence);
}

std::string FollowUpPromptOf(std::string_view question, std::string_view evidence) {
  const bool chinese = LanguageOf(question) == PromptLanguage::kChinese;
  std::string prompt;
  if (!evidence.empty()) {
    prompt = fmt::format(
        "{}\n{}\n\n", chinese ? "其中最相关的句子：" : "The sentences that matter most:", evidence);
  }
  return prompt + fmt::format("{}\n{}",
                              chinese ? "请根据上面的文字简短地回答问题。"
                                      : "Answer the question from the text above, briefly.",
                              question);
}

std::string_view ReplyOpening(PromptLanguage language) {
  return language == PromptLanguage::kChinese ? "根据上文，" : "According to the text,";
}

}  // namespace tome
