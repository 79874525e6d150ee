#include "tome/documents/readers/chapter_lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "tome/base/error.h"
#include "tome/documents/limits.h"
#include "tome/text/unicode.h"

namespace tome {
namespace {

using Letters = std::u32string_view;
constexpr size_t kMaxLetters = 60;          // of a heading
constexpr size_t kMaxUnspacedLetters = 30;  // of a heading without a space before its title

// A Heading holds the facts that the wording of a heading gives.
struct Heading {
  int level = 2;
  std::u32string unit;    // "chapter", "回"; the word itself for a prologue
  std::u32string number;  // as written, lower case
};

struct Unit {
  Letters word;
  int level;
};
constexpr std::array<Unit, 6> kEnglishUnits{
    {{U"part", 1}, {U"book", 1}, {U"volume", 1}, {U"chapter", 2}, {U"canto", 2}, {U"section", 3}}};
// 部 and its peers also count films and collections, so they take a title only after a space or a
// mark.
constexpr Letters kChineseParts = U"卷部篇集编編";
constexpr Letters kChineseChapters = U"章回话話";
constexpr Letters kChineseSections = U"节節";

constexpr std::array<Letters, 7> kEnglishWords{U"prologue",  U"epilogue",  U"preface",
                                               U"foreword",  U"afterword", U"introduction",
                                               U"postscript"};
constexpr std::array<Letters, 17> kChineseWords{
    U"序章", U"楔子", U"引子", U"序言", U"前言", U"自序", U"引言", U"后记", U"後記",
    U"尾声", U"尾聲", U"终章", U"終章", U"番外", U"序幕", U"终幕", U"附录"};

constexpr std::array<Letters, 31> kNumberWords{
    U"one",     U"two",     U"three",     U"four",     U"five",     U"six",      U"seven",
    U"eight",   U"nine",    U"ten",       U"eleven",   U"twelve",   U"thirteen", U"fourteen",
    U"fifteen", U"sixteen", U"seventeen", U"eighteen", U"nineteen", U"twenty",   U"first",
    U"second",  U"third",   U"fourth",    U"fifth",    U"sixth",    U"seventh",  U"eighth",
    U"ninth",   U"tenth",   U"last"};

constexpr Letters kSpaces = U" \t\u00A0\u3000";
constexpr Letters kDelimiters = U".:)\u2014\u2013-：．·・、—";
constexpr Letters kPauses = U",;，；、。";  // no heading ends in these
constexpr Letters kInnerMarks = U",.;:!?，。；：！？、…“”「」";

bool Has(Letters set, char32_t c) { return set.find(c) != Letters::npos; }
bool IsDigit(char32_t c) { return c >= U'0' && c <= U'9'; }
bool IsLower(char32_t c) { return c >= U'a' && c <= U'z'; }
char32_t Lower(char32_t c) { return c >= U'A' && c <= U'Z' ? c - U'A' + U'a' : c; }

Letters Trim(Letters text) {
  while (!text.empty() && Has(kSpaces, text.front())) text.remove_prefix(1);
  while (!text.empty() && Has(kSpaces, text.back())) text.remove_suffix(1);
  return text;
}

// Returns the ASCII letters that `text` begins with, in lower case.
std::u32string LeadingWord(Letters text) {
  std::u32string word;
  for (const char32_t c : text) {
    if (!IsLower(Lower(c))) break;
    word += Lower(c);
  }
  return word;
}

// Returns whether `word` is a well-formed Roman numeral in lower case. "mild" has the letters but
// not the order.
bool IsRoman(Letters word) {
  constexpr std::array<std::array<Letters, 10>, 4> kDigits{{
      {U"", U"m", U"mm", U"mmm", U"", U"", U"", U"", U"", U""},
      {U"", U"c", U"cc", U"ccc", U"cd", U"d", U"dc", U"dcc", U"dccc", U"cm"},
      {U"", U"x", U"xx", U"xxx", U"xl", U"l", U"lx", U"lxx", U"lxxx", U"xc"},
      {U"", U"i", U"ii", U"iii", U"iv", U"v", U"vi", U"vii", U"viii", U"ix"},
  }};
  for (const auto& place : kDigits) {
    Letters longest;
    for (const Letters digit : place) {
      if (digit.size() > longest.size() && word.starts_with(digit)) longest = digit;
    }
    word.remove_prefix(longest.size());
  }
  return word.empty();
}

// Returns how many letters of `text` are a number ("4", "IV", "four"); 0 without one.
size_t NumberLength(Letters text) {
  size_t digits = 0;
  while (digits < text.size() && IsDigit(text[digits])) ++digits;
  if (digits > 0) return digits <= 4 ? digits : 0;
  const std::u32string word = LeadingWord(text);
  if (word.empty()) return 0;
  const bool is_word =
      std::find(kNumberWords.begin(), kNumberWords.end(), word) != kNumberWords.end();
  return is_word || IsRoman(word) ? word.size() : 0;
}

// Returns whether `rest`, the text after "Chapter 4", may be its title: empty, set off by a mark,
// or not beginning with a small letter ("Chapter 4 was the best" is a sentence).
bool IsTitleRest(Letters rest) {
  if (rest.empty()) return true;
  if (Has(kDelimiters, rest.front())) {
    rest = Trim(rest.substr(1));
    return rest.empty() || !Has(kPauses, rest.back());
  }
  if (!Has(kSpaces, rest.front())) return false;
  rest = Trim(rest);
  return !IsLower(rest.front()) && !Has(kPauses, rest.back()) && rest.back() != U'.';
}

std::optional<Heading> ReadEnglish(Letters line) {
  const std::u32string word = LeadingWord(line);
  Letters rest = line.substr(word.size());
  for (const Letters known : kEnglishWords) {
    if (word != known) continue;
    const bool is_heading = rest.empty() || (Has(kDelimiters, rest.front()) && IsTitleRest(rest));
    if (is_heading && !IsLower(line.front()))
      return Heading{.level = 2, .unit = word, .number = {}};
    return std::nullopt;
  }
  const auto* unit = std::find_if(kEnglishUnits.begin(), kEnglishUnits.end(),
                                  [&](const Unit& u) { return u.word == word; });
  if (unit == kEnglishUnits.end() || rest.empty() || !Has(kSpaces, rest.front())) {
    return std::nullopt;
  }
  if (IsLower(line.front())) return std::nullopt;  // "chapter 4" in a running text
  rest = Trim(rest);
  if (LeadingWord(rest) == U"the") rest = Trim(rest.substr(3));  // "Book the First"
  const size_t length = NumberLength(rest);
  if (length == 0 || !IsTitleRest(rest.substr(length))) return std::nullopt;
  Heading heading{.level = unit->level, .unit = word, .number = {}};
  for (const char32_t c : rest.substr(0, length)) heading.number += Lower(c);
  return heading;
}

bool IsChineseNumeral(char32_t c) {
  return IsDigit(c) || (c >= U'０' && c <= U'９') ||
         Has(U"〇零○一二三四五六七八九十百千万兩两廿卅壹贰叁肆伍陆柒捌玖拾佰仟上中下", c);
}

enum class UnspacedTitle { kAllowed, kNot };

// Returns whether `rest`, the text after "第一章", may be its title. Without a space before it, a
// title ("第一章大闹天宫") has to be told from a sentence about the chapter ("第一章里他说").
bool IsChineseRest(Letters line, Letters rest, UnspacedTitle unspaced) {
  if (rest.empty()) return true;
  if (Has(kPauses, rest.back())) return false;
  if (Has(kSpaces, rest.front()) || Has(kDelimiters, rest.front())) return true;
  return unspaced == UnspacedTitle::kAllowed && line.size() <= kMaxUnspacedLetters &&
         rest.find_first_of(kInnerMarks) == Letters::npos &&
         !Has(U"里的是和与在了也就都有以至到所跟", rest.front());
}

std::optional<Heading> ReadChinese(Letters line) {
  for (const Letters known : kChineseWords) {
    if (!line.starts_with(known)) continue;
    if (!IsChineseRest(line, line.substr(known.size()), UnspacedTitle::kNot)) return std::nullopt;
    return Heading{.level = 2, .unit = std::u32string(known), .number = {}};
  }
  if (line.front() != U'第') return std::nullopt;
  size_t i = 1;
  while (i < line.size() && IsChineseNumeral(line[i])) ++i;
  constexpr size_t kMaxNumerals = 9;
  if (i == 1 || i > kMaxNumerals || i == line.size()) return std::nullopt;
  const char32_t unit = line[i];
  const bool is_part = Has(kChineseParts, unit);
  if (!is_part && !Has(kChineseChapters, unit) && !Has(kChineseSections, unit)) return std::nullopt;
  Letters rest = line.substr(i + 1);
  if (unit == U'部' && rest.starts_with(U"分")) rest.remove_prefix(1);
  const auto unspaced = is_part ? UnspacedTitle::kNot : UnspacedTitle::kAllowed;
  if (!IsChineseRest(line, rest, unspaced)) return std::nullopt;
  return Heading{.level = is_part                       ? 1
                          : Has(kChineseSections, unit) ? 3
                                                        : 2,
                 .unit = std::u32string(1, unit),
                 .number = std::u32string(line.substr(1, i - 1))};
}

// Rejects most lines at once: too long, or no heading begins with this byte.
bool MayBeHeading(std::string_view line) {
  if (line.empty() || line.size() > 4 * kMaxLetters) return false;
  constexpr std::string_view kFirst = " \tBCEPVSFAIbcepvsfai\xC2\xE3\xE5\xE6\xE7\xE8\xE9";
  return kFirst.find(line.front()) != std::string_view::npos;
}

std::optional<Heading> ReadHeading(std::string_view line) {
  if (!MayBeHeading(line)) return std::nullopt;
  std::u32string letters;
  for (uint64_t i = 0; i < line.size();) letters += NextCodePoint(line, i);
  const Letters trimmed = Trim(letters);
  if (trimmed.empty() || trimmed.size() >= kMaxLetters) return std::nullopt;
  return trimmed.front() < 0x80 ? ReadEnglish(trimmed) : ReadChinese(trimmed);
}

struct Candidate {
  Heading heading;
  TextSpan line;
  bool follows_heading = false;  // no text lies between it and the candidate before
};

std::vector<Candidate> FindCandidates(std::string_view text, LineBreaks line_breaks) {
  std::vector<Candidate> candidates;
  bool after_heading = false;
  bool begins_block = true;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = text.substr(begin, end - begin);
    if (line.empty()) {
      begins_block = true;
    } else {
      std::optional<Heading> heading;
      if (begins_block || after_heading || line_breaks == LineBreaks::kHard) {
        heading = ReadHeading(line);
      }
      if (heading) {
        candidates.push_back({*std::move(heading), {.begin = begin, .end = end}, after_heading});
      }
      after_heading = !candidates.empty() && candidates.back().line.begin == begin;
      begins_block = false;
    }
    begin = end + 1;
  }
  return candidates;
}

// Drops the lines of tables of contents: in a run of three or more headings without text between
// them, two of which count the same unit, the headings that come again later.
void DropContents(std::vector<Candidate>& candidates) {
  using Key = std::pair<std::u32string, std::u32string>;
  std::map<Key, size_t> last;
  for (size_t i = 0; i < candidates.size(); ++i) {
    last[{candidates[i].heading.unit, candidates[i].heading.number}] = i;
  }
  std::vector<Candidate> kept;
  for (size_t begin = 0; begin < candidates.size();) {
    size_t end = begin + 1;
    while (end < candidates.size() && candidates[end].follows_heading) ++end;
    std::map<std::u32string, int> units;
    int most = 0;
    for (size_t i = begin; i < end; ++i) most = std::max(most, ++units[candidates[i].heading.unit]);
    const bool is_contents = end - begin >= 3 && most >= 2;
    for (size_t i = begin; i < end; ++i) {
      const Heading& heading = candidates[i].heading;
      if (!is_contents || last[{heading.unit, heading.number}] == i) {
        kept.push_back(std::move(candidates[i]));
      }
    }
    begin = end;
  }
  candidates = std::move(kept);
}

}  // namespace

std::vector<Section> FindChapters(std::string_view text, LineBreaks line_breaks) {
  std::vector<Candidate> candidates = FindCandidates(text, line_breaks);
  DropContents(candidates);
  if (candidates.size() > kMaxSections) {
    throw Error(Code::kUnsupported, fmt::format("more than {} sections", kMaxSections));
  }
  std::vector<Section> sections;
  std::vector<int64_t> open;
  const auto close_from = [&](int level, uint64_t end) {
    while (!open.empty() && sections[static_cast<size_t>(open.back())].level >= level) {
      sections[static_cast<size_t>(open.back())].span.end = end;
      open.pop_back();
    }
  };
  for (const Candidate& candidate : candidates) {
    const auto [begin, end] = candidate.line;
    const size_t before = text.substr(0, begin).find_last_not_of('\n');
    close_from(candidate.heading.level, before == std::string_view::npos ? 0 : before + 1);
    sections.push_back({.title = CollapseWhiteSpace(text.substr(begin, end - begin)),
                        .level = candidate.heading.level,
                        .parent = open.empty() ? kNoParent : open.back(),
                        .span = candidate.line});
    open.push_back(static_cast<int64_t>(sections.size()) - 1);
  }
  close_from(0, text.size());
  return sections;
}

}  // namespace tome
