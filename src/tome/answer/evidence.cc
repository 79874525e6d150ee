#include "tome/answer/evidence.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <utility>

#include "tome/text/unicode.h"

namespace tome {
namespace {

constexpr std::array<std::string_view, 6> kAnswerMarks{"answer:", "answer：", "答案：",
                                                       "答案:",   "回答：",   "回答:"};
constexpr std::array<std::string_view, 4> kNotFoundMarks{"not found", "not_found", "未找到",
                                                         "沒有找到"};
constexpr std::string_view kThinkBegin = "<think>";
constexpr std::string_view kThinkEnd = "</think>";
// Larger numbers are no marks of evidence. One more than it is an int as well.
constexpr int kMaxEvidenceNumber = 99999;

std::string_view Trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

// Marks of emphasis and headings that models put around words.
std::string_view WithoutMarkup(std::string_view line) {
  const size_t begin = line.find_first_not_of(" \t\n*#_");
  return begin == std::string_view::npos ? std::string_view() : line.substr(begin);
}

// "[12] rest" or "12. rest": the number, with `line` moved behind it.
std::optional<int> TakeNumber(std::string_view& line) {
  std::string_view rest = line;
  const bool bracket = rest.starts_with('[');
  if (bracket) rest.remove_prefix(1);
  int number = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
  if (error != std::errc() || number < 0 || number > kMaxEvidenceNumber) return std::nullopt;
  rest.remove_prefix(static_cast<size_t>(end - rest.data()));
  if (!rest.starts_with(bracket ? ']' : '.')) return std::nullopt;
  rest.remove_prefix(1);
  line = Trimmed(rest);
  return number;
}

// One code point as comparison sees it; 0 for white space, which does not count.
char32_t Folded(char32_t c) {
  switch (c) {
    case U'“':
    case U'”':
    case U'„':
    case U'«':
    case U'»':
      return U'"';
    case U'‘':
    case U'’':
    case U'‚':
      return U'\'';
    case U'–':
    case U'—':
    case U'‐':
    case U'‑':
      return U'-';
    default:
      break;
  }
  if (IsWhiteSpace(c)) return 0;
  return c >= U'A' && c <= U'Z' ? c + 32 : c;
}

// The folded code points of a text and where each begins in it.
struct FoldedText {
  std::u32string text;
  std::vector<uint64_t> offsets;  // one more than code points: the end
};

FoldedText Fold(std::string_view utf8) {
  FoldedText folded;
  uint64_t offset = 0;
  uint64_t last_end = 0;
  while (offset < utf8.size()) {
    const uint64_t begin = offset;
    const char32_t c = Folded(NextCodePoint(utf8, offset));
    if (c == 0) continue;
    folded.text.push_back(c);
    folded.offsets.push_back(begin);
    last_end = offset;
  }
  folded.offsets.push_back(last_end);
  return folded;
}

uint64_t WeightOf(const std::u32string& text) {
  uint64_t weight = 0;
  for (const char32_t c : text) {
    if (IsCjk(c)) {
      weight += 2;
    } else if (IsLetterOrDigit(c)) {
      weight += 1;
    }
  }
  return weight;
}

// Digits, spaces and the bytes of the separators below.
bool MayStandInMark(char c) {
  return (c >= '0' && c <= '9') || c == ' ' || c == ',' ||
         std::string_view("，、").find(c) != std::string_view::npos;
}

// "1" or "1, 2": the numbers; nothing for any other text.
std::optional<std::vector<int>> NumbersOf(std::string_view list) {
  constexpr std::array<std::string_view, 3> kSeparators{",", "，", "、"};
  std::vector<int> numbers;
  for (;;) {
    list = Trimmed(list);
    int number = 0;
    const auto [end, error] = std::from_chars(list.data(), list.data() + list.size(), number);
    if (error != std::errc() || number < 0) return std::nullopt;
    numbers.push_back(number);
    list = Trimmed(list.substr(static_cast<size_t>(end - list.data())));
    if (list.empty()) return numbers;
    const auto* const separator =
        std::find_if(kSeparators.begin(), kSeparators.end(),
                     [&](std::string_view mark) { return list.starts_with(mark); });
    if (separator == kSeparators.end()) return std::nullopt;
    list.remove_prefix(separator->size());
  }
}

// What models put around a quote and the document does not have: quotation marks, an ellipsis.
std::string_view WithoutWrapping(std::string_view quote) {
  constexpr std::array<std::string_view, 8> kWrapping{"\"", "“", "”", "「", "」", "…", "...", "'"};
  for (bool changed = true; changed;) {
    changed = false;
    quote = Trimmed(quote);
    for (const std::string_view mark : kWrapping) {
      if (quote.size() > mark.size() && quote.starts_with(mark)) {
        quote.remove_prefix(mark.size());
        changed = true;
      }
      if (quote.size() > mark.size() && quote.ends_with(mark)) {
        quote.remove_suffix(mark.size());
        changed = true;
      }
    }
  }
  return quote;
}

}  // namespace

std::optional<std::string> EvidenceParser::AnswerBegins(std::string_view line) const {
  const std::string_view bare = WithoutMarkup(line);
  const std::string lower = LowerAscii(bare);
  for (const std::string_view mark : kAnswerMarks) {
    if (lower.starts_with(mark)) return std::string(WithoutMarkup(bare.substr(mark.size())));
  }
  return std::nullopt;
}

void EvidenceParser::TakeLine(std::string_view line) {
  line = Trimmed(line);
  const std::string lower = LowerAscii(WithoutMarkup(line));
  for (const std::string_view mark : kNotFoundMarks) {
    if (lower.starts_with(mark)) not_found_ = true;
  }
  if (not_found_) return;
  if (line.starts_with('>')) line = Trimmed(line.substr(1));
  const int expected = evidence_.empty() ? 1 : evidence_.back().number + 1;
  if (const auto number = TakeNumber(line); number && !line.empty()) {
    evidence_.push_back({.number = *number, .quote = std::string(line)});
  } else if (line.starts_with('"') || line.starts_with("“") || line.starts_with("「")) {
    evidence_.push_back({.number = expected, .quote = std::string(line)});
  }
}

// Leaves a thinking block that ends in `text`; gives the text behind it.
std::string_view EvidenceParser::PassThinking(std::string_view text) {
  const size_t held = line_.size();  // bytes that may begin the end mark
  line_ += text;
  const size_t end = line_.find(kThinkEnd);
  if (end == std::string::npos) {
    line_.erase(0, line_.size() - std::min(line_.size(), kThinkEnd.size() - 1));
    return {};
  }
  state_ = State::kEvidence;
  line_.clear();
  return text.substr(end + kThinkEnd.size() - held);
}

std::string EvidenceParser::Push(std::string_view text) {
  std::string answer;
  while (!text.empty()) {
    if (state_ == State::kAnswer) {
      answer += answer_shown_ ? text : WithoutMarkup(text);
      answer_shown_ = !answer.empty();
      break;
    }
    if (state_ == State::kThinking) {
      text = PassThinking(text);
      continue;
    }
    const size_t held = line_.size();
    const std::string_view part = text.substr(0, text.find('\n'));
    line_ += part.substr(0, kMaxEvidenceLine - std::min(kMaxEvidenceLine, held));
    if (const size_t begin = line_.find_first_not_of(" \t\r");
        std::string_view(line_).substr(std::min(begin, line_.size())).starts_with(kThinkBegin)) {
      state_ = State::kThinking;
      line_.clear();
      text.remove_prefix(begin + kThinkBegin.size() - held);
      continue;
    }
    if (const auto begun = AnswerBegins(line_)) {
      text.remove_prefix(line_.size() - held);
      state_ = State::kAnswer;
      line_.clear();
      answer += *begun;
      answer_shown_ = !answer.empty();
      continue;
    }
    const bool ended = part.size() < text.size();
    text.remove_prefix(part.size() + (ended ? 1 : 0));
    if (ended) TakeLine(std::exchange(line_, {}));
  }
  return answer;
}

std::string EvidenceParser::Finish() {
  if (state_ == State::kEvidence && !line_.empty()) TakeLine(std::exchange(line_, {}));
  return {};
}

std::string MarkRewriter::Push(std::string_view text) {
  constexpr size_t kMaxMark = 64;  // bytes of a list of numbers
  std::string out;
  for (const char c : text) {
    if (held_.empty()) {
      if (c == '[') {
        held_ = c;
      } else {
        out += c;
      }
      continue;
    }
    if (c == '[') {
      out += std::exchange(held_, "[");
      continue;
    }
    held_ += c;
    if (c == ']') {
      if (const auto numbers = NumbersOf(std::string_view(held_).substr(1, held_.size() - 2))) {
        for (const int number : *numbers) {
          const auto found = numbers_.find(number);
          if (found != numbers_.end()) out += '[' + std::to_string(found->second) + ']';
        }
        held_.clear();
      } else {
        out += std::exchange(held_, {});
      }
    } else if (held_.size() >= kMaxMark || !MayStandInMark(c)) {
      out += std::exchange(held_, {});
    }
  }
  return out;
}

std::string MarkRewriter::Finish() { return std::exchange(held_, {}); }

std::optional<FoundQuote> FindQuote(std::string_view quote, const std::vector<ShownText>& shown) {
  const std::string_view bare = WithoutWrapping(quote);
  if (!IsValidUtf8(bare)) return std::nullopt;
  const FoldedText needle = Fold(bare);
  if (WeightOf(needle.text) < kMinQuoteWeight) return std::nullopt;
  for (size_t i = 0; i < shown.size(); ++i) {
    const size_t at = shown[i].text.find(bare);
    if (at == std::string_view::npos) continue;
    const uint64_t begin = shown[i].begin + at;
    return FoundQuote{.shown = i, .span = {.begin = begin, .end = begin + bare.size()}};
  }
  for (size_t i = 0; i < shown.size(); ++i) {
    const FoldedText text = Fold(shown[i].text);
    const auto found =
        std::search(text.text.begin(), text.text.end(),
                    std::boyer_moore_horspool_searcher(needle.text.begin(), needle.text.end()));
    if (found == text.text.end()) continue;
    const auto first = static_cast<size_t>(found - text.text.begin());
    const uint64_t last = text.offsets[first + needle.text.size() - 1];
    uint64_t end = last;
    NextCodePoint(shown[i].text, end);
    return FoundQuote{
        .shown = i,
        .span = {.begin = shown[i].begin + text.offsets[first], .end = shown[i].begin + end}};
  }
  return std::nullopt;
}

}  // namespace tome
