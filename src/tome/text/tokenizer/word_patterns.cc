#include "tome/text/tokenizer/word_patterns.h"

#include <algorithm>
#include <array>
#include <utility>

namespace tome {
namespace {

// A text with the classes of its characters. Positions are byte offsets.
class Cursor {
 public:
  Cursor(std::string_view text, uint32_t end) : text_(text.substr(0, end)) {}

  size_t end() const { return text_.size(); }
  char Byte(size_t i) const { return text_[i]; }

  // Returns the class of the character at i < end() and sets `next` to the position after it.
  ClassBits ClassAt(size_t i, size_t& next) const {
    const auto byte = static_cast<unsigned char>(text_[i]);
    if (byte < 0x80) {
      next = i + 1;
      return classes_.OfAscii(byte);
    }
    const TextChar c = CharAt(text_, i);
    next = i + c.bytes;
    return classes_.Of(c.code_point);
  }
  // Returns the end of the run of characters from i on that have a class of `any`.
  size_t RunOf(size_t i, ClassBits any) const {
    while (i < end()) {
      size_t next = 0;
      if ((ClassAt(i, next) & any) == 0) break;
      i = next;
    }
    return i;
  }
  size_t RunWithout(size_t i, ClassBits any) const {
    while (i < end()) {
      size_t next = 0;
      if ((ClassAt(i, next) & any) != 0) break;
      i = next;
    }
    return i;
  }
  size_t LineEnds(size_t i) const {
    while (i < end() && (text_[i] == '\r' || text_[i] == '\n')) ++i;
    return i;
  }

  // Matches \s+(?!\S)|\s+ at i, which is white space: the whole run where it ends the text or has
  // one character, else all but its last character.
  size_t SpaceRun(size_t i) const {
    const size_t run_end = RunOf(i, kSpace);
    if (run_end == end()) return run_end;
    const size_t last = PreviousChar(text_, i, run_end);
    return last == i ? run_end : last;
  }
  // Matches \s*[\r\n]+|\s+(?!\S)|\s+ at i.
  size_t LinesOrSpaceRun(size_t i) const {
    const size_t run_end = RunOf(i, kSpace);
    for (size_t k = run_end; k > i; --k) {
      if (text_[k - 1] == '\n' || text_[k - 1] == '\r') return k;
    }
    if (run_end == end()) return run_end;
    const size_t last = PreviousChar(text_, i, run_end);
    return last == i ? run_end : last;
  }

  // Matches 's|'t|'re|'ve|'m|'ll|'d at the apostrophe at i. Returns the end, or i without a match.
  // `fold` is 0x20 to ignore case and 0 to heed it.
  size_t Contraction(size_t i, int fold) const {
    if (i + 1 >= end()) return i;
    const auto letter = [&](size_t k) { return static_cast<char>(text_[k] | fold); };
    const char a = letter(i + 1);
    if (a == 's' || a == 't' || a == 'm' || a == 'd') return i + 2;
    if (i + 2 >= end()) return i;
    const char b = letter(i + 2);
    if ((a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l')) return i + 3;
    return i;
  }

 private:
  const CharClasses& classes_ = CharClasses::Get();
  std::string_view text_;
};

struct Gpt2 {
  static size_t Next(const Cursor& text, size_t i) {
    if (text.Byte(i) == '\'') {
      const size_t contraction = text.Contraction(i, 0);
      if (contraction != i) return contraction;
    }
    size_t next = 0;
    ClassBits bits = text.ClassAt(i, next);
    if (text.Byte(i) == ' ' && next < text.end()) {
      size_t behind = 0;
      const ClassBits after = text.ClassAt(next, behind);
      if ((after & kSpace) == 0) {
        bits = after;
        next = behind;
      }
    }
    if ((bits & kLetter) != 0) return text.RunOf(next, kLetter);
    if ((bits & kNumber) != 0) return text.RunOf(next, kNumber);
    if ((bits & kSpace) != 0) return text.SpaceRun(i);
    return text.RunWithout(next, kSpace | kLetter | kNumber);
  }
};

template <int kMaxDigits, ClassBits kWord>
struct Llama3 {
  static size_t Next(const Cursor& text, size_t i) {
    if (text.Byte(i) == '\'') {
      const size_t contraction = text.Contraction(i, 0x20);
      if (contraction != i) return contraction;
    }
    size_t next = 0;
    const ClassBits bits = text.ClassAt(i, next);
    if ((bits & kWord) != 0) return text.RunOf(next, kWord);
    const bool line_end = text.Byte(i) == '\r' || text.Byte(i) == '\n';
    size_t behind = next;
    const ClassBits after = next < text.end() ? text.ClassAt(next, behind) : ClassBits{kSpace};
    if ((bits & kNumber) == 0 && !line_end && (after & kWord) != 0)
      return text.RunOf(behind, kWord);
    if ((bits & kNumber) != 0) {
      for (int digits = 1; digits < kMaxDigits && next < text.end(); ++digits) {
        if ((text.ClassAt(next, behind) & kNumber) == 0) break;
        next = behind;
      }
      return next;
    }
    constexpr ClassBits kNotSymbol = kSpace | kWord | kNumber;
    if (text.Byte(i) == ' ' && (after & kNotSymbol) == 0) {
      return text.LineEnds(text.RunWithout(behind, kNotSymbol));
    }
    if ((bits & kSpace) == 0) return text.LineEnds(text.RunWithout(next, kNotSymbol));
    return text.LinesOrSpaceRun(i);
  }
};

struct DeepSeek3 {
  static bool IsAsciiLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

  // Returns the end of the word at i, or i where no alternative matches.
  static size_t Next(const Cursor& text, size_t i) {
    size_t next = 0;
    const ClassBits bits = text.ClassAt(i, next);
    const char byte = text.Byte(i);
    const bool ascii = static_cast<unsigned char>(byte) < 0x80;
    if (ascii && (bits & (kPunctuation | kSymbol)) != 0 && next < text.end() &&
        IsAsciiLetter(text.Byte(next))) {
      while (next < text.end() && IsAsciiLetter(text.Byte(next))) ++next;
      return next;
    }
    constexpr ClassBits kWord = kLetter | kMark;
    constexpr ClassBits kSign = kPunctuation | kSymbol;
    if ((bits & kWord) != 0) return text.RunOf(next, kWord);
    size_t behind = next;
    const ClassBits after = next < text.end() ? text.ClassAt(next, behind) : ClassBits{0};
    if (byte != '\r' && byte != '\n' && (bits & kSign) == 0 && (after & kWord) != 0) {
      return text.RunOf(behind, kWord);
    }
    if ((bits & kSign) != 0) return text.LineEnds(text.RunOf(next, kSign));
    if (byte == ' ' && (after & kSign) != 0) return text.LineEnds(text.RunOf(behind, kSign));
    if ((bits & kSpace) != 0) return text.LinesOrSpaceRun(i);
    return i;
  }
};

template <typename Pattern>
void Split(std::string_view text, Span within, std::vector<Span>& out) {
  const Cursor cursor(text, within.end);
  size_t gap = within.begin;  // the beginning of the text not matched yet
  for (size_t i = within.begin; i < within.end;) {
    const size_t next = Pattern::Next(cursor, i);
    if (next == i) {
      cursor.ClassAt(i, i);
      continue;
    }
    if (gap < i) out.push_back({static_cast<uint32_t>(gap), static_cast<uint32_t>(i)});
    out.push_back({static_cast<uint32_t>(i), static_cast<uint32_t>(next)});
    gap = i = next;
  }
  if (gap < within.end) out.push_back({static_cast<uint32_t>(gap), within.end});
}

}  // namespace

std::optional<WordPattern> KnownPattern(std::string_view regex) {
  static constexpr std::array<std::pair<std::string_view, WordPattern>, 6> kKnown{{
      {R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)",
       WordPattern::kGpt2},
      {R"('(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)",
       WordPattern::kGpt2},
      {R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
       WordPattern::kLlama3},
      {R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
       WordPattern::kQwen2},
      {R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
       WordPattern::kQwen35},
      {"[!\"#$%&'()*+,\\-./"
       ":;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+|"
       " ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+",
       WordPattern::kDeepSeek3},
  }};
  for (const auto& [known, pattern] : kKnown) {
    if (regex == known) return pattern;
  }
  return std::nullopt;
}

void SplitByPattern(WordPattern pattern, std::string_view text, Span within,
                    std::vector<Span>& out) {
  switch (pattern) {
    case WordPattern::kGpt2:
      return Split<Gpt2>(text, within, out);
    case WordPattern::kLlama3:
      return Split<Llama3<3, kLetter>>(text, within, out);
    case WordPattern::kQwen2:
      return Split<Llama3<1, kLetter>>(text, within, out);
    case WordPattern::kQwen35:
      return Split<Llama3<1, kLetter | kMark>>(text, within, out);
    case WordPattern::kDeepSeek3:
      return Split<DeepSeek3>(text, within, out);
  }
}

void SplitByRuns(const RunPattern& pattern, std::string_view text, Span within,
                 std::vector<Span>& out) {
  const std::string_view bounded = text.substr(0, within.end);
  const CharClasses& classes = CharClasses::Get();
  size_t gap = within.begin;
  for (size_t i = within.begin; i < within.end;) {
    const TextChar first = CharAt(bounded, i);
    // The optional white space is taken where the run continues after it. Otherwise it may begin
    // the run.
    size_t at = i;
    if (pattern.optional_space && (classes.Of(first.code_point) & kSpace) != 0 &&
        i + first.bytes < within.end &&
        pattern.set.Contains(CharAt(bounded, i + first.bytes).code_point)) {
      at = i + first.bytes;
    }
    uint32_t count = 0;
    while (count < pattern.most && at < within.end) {
      const TextChar c = CharAt(bounded, at);
      if (!pattern.set.Contains(c.code_point)) break;
      at += c.bytes;
      ++count;
    }
    if (count < pattern.least || count == 0) {
      i += first.bytes;
      continue;
    }
    if (gap < i) out.push_back({static_cast<uint32_t>(gap), static_cast<uint32_t>(i)});
    out.push_back({static_cast<uint32_t>(i), static_cast<uint32_t>(at)});
    gap = i = at;
  }
  if (gap < within.end) out.push_back({static_cast<uint32_t>(gap), within.end});
}

void SplitTrailingSpace(std::string_view text, Span within, std::vector<Span>& out) {
  size_t begin = within.end;
  while (begin > within.begin) {
    const size_t previous = PreviousChar(text, within.begin, begin);
    if ((CharClasses::Get().Of(CharAt(text, previous).code_point) & kSpace) == 0) break;
    begin = previous;
  }
  if (within.begin < begin) out.push_back({within.begin, static_cast<uint32_t>(begin)});
  if (begin < within.end) out.push_back({static_cast<uint32_t>(begin), within.end});
}

}  // namespace tome
