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
  if (error != std::errc() || end == rest.data() || number < 0) return std::nullopt;
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
    } else if ((c >= U'0' && c <= U'9') || (c >= U'a' && c <= U'z') || c > 0xBF) {
      weight += 1;
    }
  }
  return weight;
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
  if (state_ == State::kThinking) {
    if (line.find(kThinkEnd) != std::string_view::npos) state_ = State::kEvidence;
    return;
  }
  line = Trimmed(line);
  if (line.starts_with(kThinkBegin)) {
    if (line.find(kThinkEnd) == std::string_view::npos) state_ = State::kThinking;
    return;
  }
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

std::string EvidenceParser::Push(std::string_view text) {
  std::string answer;
  while (!text.empty()) {
    if (state_ == State::kAnswer) {
      answer += answer_shown_ ? text : WithoutMarkup(text);
      answer_shown_ = !answer.empty();
      break;
    }
    const size_t end = text.find('\n');
    const std::string_view part = text.substr(0, end);
    line_ += part.substr(0, kMaxEvidenceLine - std::min(kMaxEvidenceLine, line_.size()));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (state_ == State::kEvidence) {
      if (const auto begun = AnswerBegins(line_)) {
        state_ = State::kAnswer;
        line_.clear();
        answer += *begun;
        answer_shown_ = !answer.empty();
        if (end != std::string_view::npos && answer_shown_) answer += '\n';
        continue;
      }
    }
    if (end != std::string_view::npos) TakeLine(std::exchange(line_, {}));
  }
  return answer;
}

std::string EvidenceParser::Finish() {
  if (state_ != State::kAnswer && !line_.empty()) TakeLine(std::exchange(line_, {}));
  return {};
}

std::string MarkRewriter::Push(std::string_view text) {
  constexpr size_t kMaxMark = 8;  // "[99999]" and then some
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
    held_ += c;
    if (c >= '0' && c <= '9' && held_.size() < kMaxMark) continue;
    int number = 0;
    const auto [end, error] =
        std::from_chars(held_.data() + 1, held_.data() + held_.size(), number);
    if (c == ']' && error == std::errc() && end == held_.data() + held_.size() - 1) {
      if (const auto found = numbers_.find(number); found != numbers_.end()) {
        out += '[' + std::to_string(found->second) + ']';
      }
      held_.clear();
    } else if (c == '[') {
      out.append(held_, 0, held_.size() - 1);
      held_ = c;
    } else {
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
