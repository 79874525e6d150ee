#include "tome/answer/follow_up.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "tome/answer/prompt.h"
#include "tome/text/han_folding.h"
#include "tome/text/sentences.h"
#include "tome/text/unicode.h"

namespace tome {
namespace {

// Longest rewriting of a model, in tokens.
constexpr int64_t kRewritingTokens = 48;

constexpr std::array<std::string_view, 20> kPronouns{
    "he",    "she",    "it",   "they", "him",   "her",   "them",  "his",  "hers", "its",
    "their", "theirs", "this", "that", "these", "those", "there", "then", "so",   "one"};
// Of these, the ones that point back wherever they stand. The others also serve as articles and
// conjunctions ("the ship that sank") or point forward ("there is").
constexpr std::array<std::string_view, 10> kPointing{"he",   "she", "they", "him",   "her",
                                                     "them", "his", "hers", "their", "theirs"};
constexpr std::array<std::string_view, 8> kPointingCjk{"他",   "她",   "它",   "他们",
                                                       "其中", "这个", "那个", "那里"};
constexpr std::array<std::string_view, 40> kFunctionWords{
    "a",   "an",   "the",   "and",   "or",   "but",  "of",    "in",   "on",   "at",
    "to",  "for",  "with",  "by",    "from", "is",   "are",   "was",  "were", "be",
    "do",  "does", "did",   "has",   "have", "had",  "what",  "who",  "when", "where",
    "why", "how",  "which", "about", "as",   "into", "after", "also", "than", "not"};

template <size_t N>
bool IsIn(const std::array<std::string_view, N>& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

// A word of alphabetic script as it is written, and in lower case.
struct Spoken {
  std::string_view written;
  std::string lower;
  bool begins_sentence = false;
};

std::vector<Spoken> SpokenWords(std::string_view text) {
  std::vector<Spoken> words;
  bool begins = true;
  for (uint64_t offset = 0; offset < text.size();) {
    const uint64_t begin = offset;
    char32_t c = NextCodePoint(text, offset);
    if (!IsLetterOrDigit(c) || IsCjk(c)) {
      begins = begins || c == '.' || c == '?' || c == '!' || c == '\n';
      continue;
    }
    uint64_t end = offset;
    while (offset < text.size()) {
      c = NextCodePoint(text, offset);
      if (!IsLetterOrDigit(c) && c != '\'' && c != 0x2019 && c != '-') break;
      if (IsCjk(c)) break;
      end = offset;
    }
    offset = end;
    const std::string_view written = text.substr(begin, end - begin);
    words.push_back({.written = written,
                     .lower = LowerAscii(written),
                     .begins_sentence = std::exchange(begins, false)});
  }
  return words;
}

std::string WithoutMark(std::string_view question) {
  std::string text = CollapseWhiteSpace(question);
  for (const std::string_view mark : {"?", "？", ".", "。", "!", "！"}) {
    if (text.ends_with(mark)) text.resize(text.size() - mark.size());
  }
  return text;
}

// Returns whether an English question has nothing of its own to search for, or asks the earlier
// question of something else: "Why?", "And in 1816?", "What about Mary?"
bool IsElliptic(std::span<const Spoken> words) {
  if (words.empty()) return false;
  constexpr std::array<std::string_view, 6> kBare{"why", "how", "when", "where", "who", "which"};
  const auto is = [&](size_t i, std::string_view word) {
    return i < words.size() && words[i].lower == word;
  };
  if (words.size() == 1) return IsIn(kBare, words[0].lower);
  if ((is(0, "what") || is(0, "how")) && is(1, "about")) return true;
  if (is(0, "why") && is(1, "not") && words.size() == 2) return true;
  constexpr size_t kShort = 5;
  // A short question after "and" without a verb: "and in 1816", "and the brig".
  constexpr std::array<std::string_view, 16> kVerbs{
      "is",   "are", "was", "were",  "do",    "does", "did",    "has",
      "have", "had", "can", "could", "would", "will", "should", "may"};
  return is(0, "and") && words.size() <= kShort &&
         std::none_of(words.begin(), words.end(),
                      [&](const Spoken& word) { return IsIn(kVerbs, word.lower); });
}

// Returns whether a name stands in front of word `i`, which a pronoun there may mean: "Did Mary say
// why she left?" is whole.
bool IsExplained(std::span<const Spoken> words, size_t i) {
  return std::any_of(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(i),
                     [](const Spoken& word) {
                       const char first = word.written.front();
                       return !word.begins_sentence && first >= 'A' && first <= 'Z';
                     });
}

bool PointsBackEnglish(std::span<const Spoken> words) {
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i].lower;
    const bool last = i + 1 == words.size();
    bool points = IsIn(kPointing, word);
    // "Who built it?", "Where is it kept?", but not "Is it true that the ship sank?" nor "What time
    // is it?"
    if (word == "it")
      points = i > 0 && !(i == 1 && words[0].lower == "is") && words[0].lower != "what";
    if (word == "its") points = true;
    if (IsIn(std::array<std::string_view, 4>{"that", "this", "those", "these"}, word)) {
      points = last && i > 0;
    }
    if (word == "that" && !last && words[i + 1].lower == "one") points = true;
    if (points && !IsExplained(words, i)) return true;
  }
  return false;
}

std::string FoldedHan(std::string_view text) {
  std::string folded;
  for (uint64_t offset = 0; offset < text.size();) {
    AppendUtf8(FoldHan(NextCodePoint(text, offset)), folded);
  }
  return folded;
}

bool IsEllipticChinese(std::string_view folded) {
  constexpr std::array<std::string_view, 6> kBare{"为什么", "为什么呢", "为何",
                                                  "怎么会", "然后呢",   "后来呢"};
  if (std::any_of(kBare.begin(), kBare.end(), [&](std::string_view bare) {
        return folded == FoldedHan(bare) || folded == FoldedHan("那") + FoldedHan(bare);
      })) {
    return true;
  }
  // 那玛丽呢 and 1816年呢 ask the earlier question of something else.
  constexpr uint64_t kShort = 12;
  return folded.ends_with(FoldedHan("呢")) && CountCodePoints(folded) <= kShort &&
         folded.find(FoldedHan("什么")) == std::string::npos &&
         folded.find(FoldedHan("谁")) == std::string::npos &&
         folded.find(FoldedHan("哪")) == std::string::npos;
}

bool PointsBackChinese(std::string_view folded) {
  for (const std::string_view pronoun : kPointingCjk) {
    const size_t at = folded.find(FoldedHan(pronoun));
    // 其他 and 吉他 hold 他 and point to nothing. A pronoun behind other words may mean one of them.
    constexpr size_t kNear = 6;  // bytes
    if (at == std::string_view::npos || at > kNear) continue;
    const std::string_view before = folded.substr(0, at);
    if (before.ends_with(FoldedHan("其")) || before.ends_with(FoldedHan("吉"))) continue;
    return true;
  }
  return false;
}

bool LeansElliptic(std::string_view question) {
  const std::string text = WithoutMark(question);
  return LanguageOf(question) == PromptLanguage::kChinese ? IsEllipticChinese(FoldedHan(text))
                                                          : IsElliptic(SpokenWords(text));
}

// Returns the names of a question: words with a capital that begin no sentence, in order.
std::string NamesIn(std::string_view question) {
  std::vector<std::string_view> names;
  for (const Spoken& word : SpokenWords(question)) {
    const char first = word.written.front();
    if (word.begins_sentence || first < 'A' || first > 'Z' || word.lower == "i") continue;
    if (std::find(names.begin(), names.end(), word.written) == names.end()) {
      names.push_back(word.written);
    }
  }
  std::string text;
  for (const std::string_view name : names) {
    if (!text.empty()) text += ' ';
    text += name;
  }
  return text;
}

// Returns the terms of a text that say something: neither pronouns nor function words.
std::set<std::string> ContentTerms(std::string_view text, Analyzer& analyzer) {
  std::set<std::string> terms;
  for (const Spoken& word : SpokenWords(text)) {
    if (IsIn(kPronouns, word.lower) || IsIn(kFunctionWords, word.lower)) continue;
    for (std::string& term : TermsOf(word.written, analyzer)) terms.insert(std::move(term));
  }
  // Chinese: single characters, without those of pronouns and questions.
  const std::string functional = FoldedHan("他她它们这那个其中的了吗呢是什么为何谁哪怎里在和");
  for (uint64_t offset = 0; offset < text.size();) {
    std::string character;
    const char32_t c = FoldHan(NextCodePoint(text, offset));
    if (!IsCjk(c)) continue;
    AppendUtf8(c, character);
    if (functional.find(character) == std::string::npos) terms.insert(std::move(character));
  }
  return terms;
}

}  // namespace

bool LeansOnConversation(std::string_view question) {
  if (LeansElliptic(question)) return true;
  if (LanguageOf(question) == PromptLanguage::kChinese) {
    return PointsBackChinese(FoldedHan(WithoutMark(question)));
  }
  return PointsBackEnglish(SpokenWords(question));
}

std::optional<std::string> RewriteByRules(std::string_view question, const EarlierTurn& earlier,
                                          Analyzer& analyzer) {
  if (!LeansOnConversation(question)) return std::nullopt;
  std::string added = LeansElliptic(question) ? std::string() : NamesIn(earlier.question);
  if (added.empty()) added = WithoutMark(earlier.question);
  const std::set<std::string> known = ContentTerms(question, analyzer);
  const std::set<std::string> terms = ContentTerms(added, analyzer);
  if (std::includes(known.begin(), known.end(), terms.begin(), terms.end())) return std::nullopt;
  return fmt::format("{} ({})", CollapseWhiteSpace(question), added);
}

bool IsFaithfulRewriting(std::string_view rewritten, std::string_view question,
                         const EarlierTurn& earlier, Analyzer& analyzer) {
  const std::set<std::string> has = ContentTerms(rewritten, analyzer);
  const std::set<std::string> asked = ContentTerms(question, analyzer);
  std::set<std::string> said = ContentTerms(earlier.question, analyzer);
  said.merge(ContentTerms(earlier.answer, analyzer));
  if (!std::includes(has.begin(), has.end(), asked.begin(), asked.end())) return false;
  const auto is_new = [&](const std::string& term) { return !asked.contains(term); };
  return std::any_of(has.begin(), has.end(), is_new) &&
         std::all_of(has.begin(), has.end(),
                     [&](const std::string& term) { return !is_new(term) || said.contains(term); });
}

std::optional<std::string> RewriteFollowUp(std::string_view question, const EarlierTurn& earlier,
                                           const AnswerModel* model, Analyzer& analyzer,
                                           const WorkControl& control) {
  std::optional<std::string> by_rules = RewriteByRules(question, earlier, analyzer);
  if (!by_rules || model == nullptr) return by_rules;
  const bool chinese = LanguageOf(question) == PromptLanguage::kChinese;
  const std::string text = fmt::format(
      "{}\n{}\n\n{}\n{}", earlier.question, earlier.answer,
      chinese ? "请把下面的问题改写成一个完整的问题。"
              : "Write the next question again as a whole question, with the names in it.",
      question);
  const PromptMessage message{.text = text};
  const std::vector<ScoredText> replies =
      ReplyToEach(*model, {&message, 1}, kRewritingTokens, control);
  std::string rewritten = CollapseWhiteSpace(NormalizeText(replies.front().text));
  // What follows the question is the model's own answer.
  for (const std::string_view mark : {"?", "？"}) {
    const size_t end = rewritten.find(mark);
    if (end != std::string::npos) rewritten.resize(end + mark.size());
  }
  const bool asks = rewritten.ends_with("?") || rewritten.ends_with("？");
  if (asks && IsFaithfulRewriting(rewritten, question, earlier, analyzer)) return rewritten;
  return by_rules;
}

}  // namespace tome
