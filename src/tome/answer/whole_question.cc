#include "tome/answer/whole_question.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "tome/answer/prompt.h"
#include "tome/documents/document.h"
#include "tome/text/han_folding.h"
#include "tome/text/unicode.h"

namespace tome {
namespace {

// A word of a question: in lower case, and its bytes in the question.
struct AskedWord {
  std::string text;
  TextSpan span;
};

std::vector<AskedWord> WordsOf(std::string_view question) {
  std::vector<AskedWord> words;
  bool inside = false;
  for (uint64_t offset = 0; offset < question.size();) {
    const uint64_t begin = offset;
    const char32_t c = NextCodePoint(question, offset);
    if (IsLetterOrDigit(c) || (inside && (c == '\'' || c == 0x2019 || c == '-'))) {
      if (!inside) words.push_back({.text = {}, .span = {.begin = begin, .end = begin}});
      words.back().span.end = offset;
      inside = true;
    } else {
      inside = false;
    }
  }
  for (AskedWord& word : words) {
    word.text = LowerAscii(question.substr(word.span.begin, word.span.size()));
  }
  return words;
}

// Returns whether `word` is one of the alternatives of `choice`, which '|' separates.
bool IsOneOf(std::string_view word, std::string_view choice) {
  while (true) {
    const size_t bar = choice.find('|');
    if (word == choice.substr(0, bar)) return true;
    if (bar == std::string_view::npos) return false;
    choice.remove_prefix(bar + 1);
  }
}

// The words that a question begins with. Each element is a choice of words.
struct Opening {
  WholeKind kind;
  std::array<std::string_view, 6> words;  // trailing empty ones do not count
};

constexpr std::string_view kWorks =
    "book|document|documents|text|novel|report|article|story|paper|file|manual|essay|play|poem";
constexpr std::string_view kThe = "this|the|that|these|whole|entire";
constexpr std::string_view kGist =
    "point|points|idea|ideas|theme|themes|topic|topics|argument|arguments|plot|message|messages|"
    "conclusion|conclusions|event|events|character|characters";
constexpr std::string_view kDid = "do|does|did|is|are|was|were|has|have";

constexpr std::array kOpenings{
    Opening{WholeKind::kSummary, {"summarise|summarize"}},
    Opening{WholeKind::kSummary, {"give|write", "a|an", "summary|overview"}},
    Opening{WholeKind::kSummary, {"give|write", "a|an", "short|brief", "summary|overview"}},
    Opening{WholeKind::kSummary, {"give|write", "me|us", "a|an", "summary|overview"}},
    Opening{WholeKind::kSummary,
            {"give|write", "me|us", "a|an", "short|brief", "summary|overview"}},
    Opening{WholeKind::kSummary, {"what", "is|are", kThe, kWorks, "about"}},
    Opening{WholeKind::kSummary, {"what", "is|are", kThe, "whole|entire", kWorks, "about"}},
    Opening{WholeKind::kSummary, {"what's", kThe, kWorks, "about"}},
    Opening{WholeKind::kSummary, {"what", "is|are|were", "the|its", "main|key|central", kGist}},
    Opening{WholeKind::kSummary, {"what", "does|do", kThe, kWorks, "say"}},
    Opening{WholeKind::kList, {"list|name|find|show|enumerate", "all|every|each"}},
    Opening{WholeKind::kList, {"list|name|show|give|tell", "me|us", "all|every|each"}},
    Opening{WholeKind::kList, {"what|who|which", "are|were", "all", "the|of|these|those"}},
};

bool Begins(std::span<const AskedWord> words, const Opening& opening) {
  for (size_t i = 0; i < opening.words.size() && !opening.words[i].empty(); ++i) {
    if (i >= words.size() || !IsOneOf(words[i].text, opening.words[i])) return false;
  }
  return true;
}

// Drops "please" and "can you" from the beginning.
std::span<const AskedWord> WithoutCourtesy(std::span<const AskedWord> words) {
  while (!words.empty()) {
    const std::string_view first = words.front().text;
    const bool asks =
        words.size() > 1 && IsOneOf(first, "can|could|would|will") && words[1].text == "you";
    if (!asks && !IsOneOf(first, "please|now|briefly|so")) break;
    words = words.subspan(asks ? 2 : 1);
  }
  return words;
}

// Returns whether a question names one part of the text, such as "chapter 3" or "the last section".
bool NamesPart(std::span<const AskedWord> words) {
  for (size_t i = 0; i < words.size(); ++i) {
    if (!IsOneOf(words[i].text, "chapter|section|page|paragraph|appendix|table|figure")) continue;
    if (i == 0 || !IsOneOf(words[i - 1].text, "each|every|all|per|by")) return true;
  }
  return false;
}

// Returns the first text between quotation marks, or an empty one.
std::string_view QuotedIn(std::string_view question) {
  struct Marks {
    std::string_view opening;
    std::string_view closing;
  };
  constexpr std::array kMarks{Marks{"\"", "\""}, Marks{"“", "”"}, Marks{"「", "」"},
                              Marks{"『", "』"}, Marks{"‘", "’"}};
  for (const Marks& marks : kMarks) {
    const size_t begin = question.find(marks.opening);
    if (begin == std::string_view::npos) continue;
    const size_t from = begin + marks.opening.size();
    const size_t end = question.find(marks.closing, from);
    if (end != std::string_view::npos && end > from) return question.substr(from, end - from);
  }
  return {};
}

// Recognises "how often" and "how many times". The first asks for a rate that one place may state
// ("how often does the bus run"), unless it asks for mentions.
std::optional<WholeQuestion> CountOf(std::string_view question, std::span<const AskedWord> words) {
  constexpr std::string_view kMentioned =
      "mentioned|mention|mentions|named|occur|occurs|appear|appears|used|referred|cited|quoted";
  size_t next = 0;
  bool many_times = false;
  if (words.size() > 2 && words[0].text == "how" && words[1].text == "often") {
    next = 2;
  } else if (words.size() > 3 && words[0].text == "how" && words[1].text == "many" &&
             words[2].text == "times") {
    next = 3;
    many_times = true;
  } else {
    return std::nullopt;
  }
  if (!IsOneOf(words[next].text, kDid)) return std::nullopt;
  size_t subject = next + 1;
  const auto verb =
      std::find_if(words.begin() + static_cast<std::ptrdiff_t>(subject), words.end(),
                   [&](const AskedWord& word) { return IsOneOf(word.text, kMentioned); });
  if (verb == words.end()) {
    if (!many_times) return std::nullopt;
    return WholeQuestion{.kind = WholeKind::kCount};
  }
  if (const std::string_view quoted = QuotedIn(question); !quoted.empty()) {
    return WholeQuestion{.kind = WholeKind::kCount, .literal = std::string(quoted)};
  }
  auto end = static_cast<size_t>(verb - words.begin());
  // "does the author mention the lamp": what is counted stands behind the verb.
  if (IsOneOf(verb->text, "mention|mentions")) {
    subject = end + 1;
    for (end = subject; end < words.size() && !IsOneOf(words[end].text, "in|throughout"); ++end) {
    }
  }
  const bool is_word = subject + 1 < end && words[subject].text == "the" &&
                       IsOneOf(words[subject + 1].text, "word|words|name|term|phrase");
  if (is_word) {
    subject += 2;
  } else if (subject < end && IsOneOf(words[subject].text, "the|a|an")) {
    ++subject;
  }
  WholeQuestion counted{.kind = WholeKind::kCount};
  // A pronoun does not name what is counted. "used" alone may be about a thing and not a word.
  const bool names = subject < end && !(end - subject == 1 &&
                                        IsOneOf(words[subject].text, "it|he|she|they|this|that"));
  if (IsOneOf(verb->text, "used") && !is_word) {
    if (!many_times) return std::nullopt;
    return counted;
  }
  if (names) {
    const uint64_t begin = words[subject].span.begin;
    counted.literal = question.substr(begin, words[end - 1].span.end - begin);
    // An apostrophe may be a quotation mark, which the rules of words leave with the word.
    while (counted.literal.ends_with('\'')) counted.literal.pop_back();
  }
  return counted;
}

std::optional<WholeQuestion> EnglishWhole(std::string_view question) {
  const std::vector<AskedWord> all = WordsOf(question);
  const std::span<const AskedWord> words = WithoutCourtesy(all);
  if (words.empty() || NamesPart(words)) return std::nullopt;
  for (const Opening& opening : kOpenings) {
    if (Begins(words, opening)) return WholeQuestion{.kind = opening.kind};
  }
  return CountOf(question, words);
}

// Returns a text with its Han characters folded. Every pattern below is folded before it is looked
// for, so that it is found in either orthography.
std::string Folded(std::string_view text) {
  std::string folded;
  for (uint64_t offset = 0; offset < text.size();) {
    AppendUtf8(FoldHan(NextCodePoint(text, offset)), folded);
  }
  return folded;
}

template <size_t N>
bool HasAny(std::string_view text, const std::array<std::string_view, N>& patterns) {
  return std::any_of(patterns.begin(), patterns.end(), [&](std::string_view pattern) {
    return text.find(Folded(pattern)) != std::string_view::npos;
  });
}

template <size_t N>
bool DropPrefix(std::string_view& text, const std::array<std::string_view, N>& prefixes) {
  for (const std::string_view prefix : prefixes) {
    if (!text.starts_with(Folded(prefix))) continue;
    text.remove_prefix(Folded(prefix).size());
    return true;
  }
  return false;
}

template <size_t N>
bool DropSuffix(std::string_view& text, const std::array<std::string_view, N>& suffixes) {
  for (const std::string_view suffix : suffixes) {
    if (!text.ends_with(Folded(suffix))) continue;
    text.remove_suffix(Folded(suffix).size());
    return true;
  }
  return false;
}

// Returns whether a folded question names one chapter, page or paragraph: 第三章.
bool NamesPartCjk(std::string_view folded) {
  const std::string ordinal = Folded("第");
  constexpr std::array<std::string_view, 7> kParts{"章", "节", "页", "段", "回", "卷", "篇"};
  constexpr size_t kFar = 15;  // bytes of a number between 第 and the part
  for (size_t at = folded.find(ordinal); at != std::string_view::npos;
       at = folded.find(ordinal, at + 1)) {
    if (HasAny(folded.substr(at, kFar), kParts)) return true;
  }
  return false;
}

// Returns what a folded question counts the mentions of, as it is written; empty for none.
std::string MentionedIn(std::string_view folded) {
  constexpr std::array<std::string_view, 4> kVerbs{"出现", "提到", "提及", "说到"};
  constexpr std::array<std::string_view, 20> kBefore{
      "请问", "在", "这本书", "本书", "全书", "全文", "本文", "书中", "文中", "小说",
      "文章", "中", "里",     "一共", "总共", "共",   "了",   "过",   "词语", "，"};
  constexpr std::array<std::string_view, 14> kAfter{"一词",   "这个词", "二字", "两字",  "在全书中",
                                                    "在书中", "在文中", "一共", "总共",  "共",
                                                    "被",     "？",     "?",    "的名字"};
  for (const std::string_view verb : kVerbs) {
    const std::string folded_verb = Folded(verb);
    const size_t at = folded.find(folded_verb);
    if (at == std::string_view::npos) continue;
    std::string_view subject = folded.substr(0, at);
    const size_t asked = std::min(folded.find(Folded("多少次")), folded.find(Folded("几次")));
    const std::string_view behind = folded.substr(at + folded_verb.size());
    // 书中提到王熙凤多少次; but 王熙凤出现了多少次 names it in front of the verb.
    if (verb != "出现") {
      const size_t times = std::min(behind.find(Folded("多少次")), behind.find(Folded("几次")));
      subject = asked < at ? behind : behind.substr(0, times);
      if (times == 0 || (asked > at && subject == Folded("了"))) {
        subject = behind.substr(times + (behind.find(Folded("多少次")) == times ? 9 : 6));
      }
    }
    while (DropPrefix(subject, kBefore)) {
    }
    while (DropSuffix(subject, kAfter)) {
    }
    return std::string(subject);
  }
  return {};
}

std::optional<WholeQuestion> ChineseWhole(std::string_view question) {
  const std::string folded = Folded(CollapseWhiteSpace(question));
  if (NamesPartCjk(folded)) return std::nullopt;
  std::string_view text = folded;
  constexpr std::array<std::string_view, 11> kCourtesy{
      "请", "你", "您", "帮我", "帮忙", "麻烦", "能否", "简要", "简单", "简短", "地"};
  while (DropPrefix(text, kCourtesy)) {
  }
  // 他总结了什么经验 asks for a fact, so these verbs count only in front.
  constexpr std::array<std::string_view, 4> kSummarise{"总结", "概括", "概述", "归纳"};
  if (DropPrefix(text, kSummarise)) {
    return WholeQuestion{.kind = WholeKind::kSummary};
  }
  constexpr std::array<std::string_view, 12> kWork{"本书", "这书", "全书", "本文", "全文", "文章",
                                                   "小说", "这篇", "文档", "报告", "故事", "文件"};
  constexpr std::array<std::string_view, 7> kAbout{"主要讲", "讲了什么", "讲的是什么", "主要内容是",
                                                   "讲什么", "大意是",   "中心思想"};
  if (HasAny(folded, kWork) && HasAny(folded, kAbout)) {
    return WholeQuestion{.kind = WholeKind::kSummary};
  }
  constexpr std::array<std::string_view, 3> kList{"列出", "列举", "举出"};
  if (DropPrefix(text, kList)) return WholeQuestion{.kind = WholeKind::kList};
  constexpr std::array<std::string_view, 4> kAll{"所有", "全部", "每一", "每个"};
  constexpr std::array<std::string_view, 4> kWhich{"有哪些", "是哪些", "有谁", "列出"};
  if (HasAny(folded, kAll) && HasAny(folded, kWhich))
    return WholeQuestion{.kind = WholeKind::kList};
  constexpr std::array<std::string_view, 3> kTimes{"多少次", "几次", "多少处"};
  constexpr std::array<std::string_view, 4> kMention{"出现", "提到", "提及", "说到"};
  constexpr std::array<std::string_view, 1> kHowMany{"多少次"};
  if (HasAny(folded, kTimes) && HasAny(folded, kMention)) {
    const std::string_view quoted = QuotedIn(question);
    return WholeQuestion{.kind = WholeKind::kCount,
                         .literal = quoted.empty() ? MentionedIn(folded) : std::string(quoted)};
  }
  if (HasAny(folded, kHowMany)) return WholeQuestion{.kind = WholeKind::kCount};
  return std::nullopt;
}

}  // namespace

std::string_view NameOf(WholeKind kind) {
  switch (kind) {
    case WholeKind::kSummary:
      return "summary";
    case WholeKind::kList:
      return "list";
    case WholeKind::kCount:
      return "count";
  }
  return "";
}

std::optional<WholeQuestion> RecogniseWholeQuestion(std::string_view question) {
  return LanguageOf(question) == PromptLanguage::kChinese ? ChineseWhole(question)
                                                          : EnglishWhole(question);
}

}  // namespace tome
