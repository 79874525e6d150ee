#include "tome/text/jinja/lexer.h"

#include <fmt/format.h>
#include <unicode/uchar.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <string>
#include <utility>

#include "tome/base/error.h"
#include "tome/text/jinja/python_text.h"
#include "tome/text/jinja/string_literal.h"
#include "tome/text/unicode.h"

namespace tome::jinja {
namespace {

// The longer operators come first, so that "//" is not read as two "/".
constexpr std::array<std::string_view, 26> kOperators = {
    "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[",
    "]",  "(",  ")",  "{",  "}",  ">",  "<", "=", ".", ":", "|", ",", ";"};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

std::string NormalizedNewlines(std::string_view source) {
  std::string text;
  text.reserve(source.size());
  for (size_t i = 0; i < source.size(); ++i) {
    if (source[i] != '\r') {
      text.push_back(source[i]);
    } else if (i + 1 == source.size() || source[i + 1] != '\n') {
      text.push_back('\n');
    }
  }
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(NormalizedNewlines(source)), text_(source_) {}

  std::vector<Token> Run() {
    while (at_ < text_.size()) Data();
    Add(TokenKind::kEnd);
    return std::move(tokens_);
  }

 private:
  [[noreturn]] void Fail(const std::string& message) const {
    throw Error(Code::kCorrupt, fmt::format("template line {}: {}", line_, message));
  }

  bool Sees(std::string_view word) const { return text_.substr(at_).starts_with(word); }

  void MoveTo(size_t end) {
    line_ += static_cast<int>(std::count(text_.begin() + static_cast<int64_t>(at_),
                                         text_.begin() + static_cast<int64_t>(end), '\n'));
    at_ = end;
  }

  size_t SkipSpaces(size_t from) const {
    return from + Strip(text_.substr(from), std::nullopt, Side::kLeft).begin;
  }

  void Add(TokenKind kind, std::string text = {}) {
    tokens_.push_back({.kind = kind, .line = line_, .text = std::move(text)});
  }

  // Says what becomes of the white space before a tag on its line and of the line end after it
  // (Jinja's lstrip_blocks and trim_blocks). Only tags of variables keep both.
  enum class LineSpace { kKept, kDropped };

  // Adds the data up to `end`, where a tag begins or the source ends. `sign` is the tag's '-', '+'
  // or 0.
  void AddData(size_t end, char sign, LineSpace space) {
    std::string_view data = text_.substr(at_, end - at_);
    if (sign == '-') {
      data = data.substr(0, Strip(data, std::nullopt, Side::kRight).end);
    } else if (sign != '+' && space == LineSpace::kDropped) {
      const size_t line_begin = data.rfind('\n') + 1;  // npos + 1 is 0
      if ((line_begin > 0 || line_starts_) &&
          Strip(data.substr(line_begin), std::nullopt, Side::kLeft).begin ==
              data.size() - line_begin) {
        data = data.substr(0, line_begin);
      }
    }
    if (!data.empty()) Add(TokenKind::kData, std::string(data));
    MoveTo(end);
  }

  // Reads the text up to the next tag, and the tag.
  void Data() {
    size_t begin = text_.find('{', at_);
    while (begin != std::string_view::npos &&
           (begin + 1 == text_.size() ||
            std::string_view("{%#").find(text_[begin + 1]) == std::string_view::npos)) {
      begin = text_.find('{', begin + 1);
    }
    if (begin == std::string_view::npos) return AddData(text_.size(), 0, LineSpace::kKept);
    const char type = text_[begin + 1];
    const char next = begin + 2 < text_.size() ? text_[begin + 2] : '\0';
    const char sign = next == '-' || next == '+' ? next : '\0';
    AddData(begin, sign, type == '{' ? LineSpace::kKept : LineSpace::kDropped);
    const size_t inner = begin + (sign == 0 ? 2 : 3);
    if (type == '#') return Comment(inner);
    if (type == '%' && Raw(inner)) return;
    Add(type == '{' ? TokenKind::kVariableBegin : TokenKind::kBlockBegin);
    MoveTo(inner);
    Tag(type);
  }

  // Returns the length of a tag's end at `at` ("-%}" with the white space after it, "%}" with a
  // line end, "+%}", …); 0 where there is none.
  size_t EndLength(size_t at, std::string_view mark, LineSpace space) const {
    const bool trims = space == LineSpace::kDropped;
    std::string_view rest = text_.substr(at);
    if (rest.starts_with('-') && rest.substr(1).starts_with(mark)) {
      return SkipSpaces(at + 1 + mark.size()) - at;
    }
    if (trims && rest.starts_with('+') && rest.substr(1).starts_with(mark)) return 1 + mark.size();
    if (!rest.starts_with(mark)) return 0;
    rest.remove_prefix(mark.size());
    return mark.size() + (trims && rest.starts_with('\n') ? 1 : 0);
  }

  void EndTag(size_t length) {
    line_starts_ = text_[at_ + length - 1] == '\n';
    MoveTo(at_ + length);
  }

  void Comment(size_t begin) {
    size_t end = text_.find("#}", begin);
    if (end == std::string_view::npos) Fail("a comment without its end #}");
    if (end > begin && (text_[end - 1] == '-' || text_[end - 1] == '+')) --end;
    MoveTo(end);
    EndTag(EndLength(end, "#}", LineSpace::kDropped));
  }

  // Reads {% raw %} and its data; returns false where the tag whose inside begins at `inner` is
  // another.
  bool Raw(size_t inner) {
    size_t at = SkipSpaces(inner);
    if (!text_.substr(at).starts_with("raw")) return false;
    at = SkipSpaces(at + 3);
    if (text_.substr(at).starts_with("-%}")) {
      at = SkipSpaces(at + 3);
    } else if (text_.substr(at).starts_with("%}")) {
      at += 2;
    } else {
      return false;
    }
    line_starts_ = text_[at - 1] == '\n';
    MoveTo(at);
    for (size_t begin = text_.find("{%", at); begin != std::string_view::npos;
         begin = text_.find("{%", begin + 2)) {
      size_t word = begin + 2;
      const char next = word < text_.size() ? text_[word] : '\0';
      const char sign = next == '-' || next == '+' ? next : '\0';
      if (sign != 0) ++word;
      word = SkipSpaces(word);
      if (!text_.substr(word).starts_with("endraw")) continue;
      word = SkipSpaces(word + 6);
      const size_t length = EndLength(word, "%}", LineSpace::kDropped);
      if (length == 0) continue;
      AddData(begin, sign, LineSpace::kDropped);
      MoveTo(word);
      EndTag(length);
      return true;
    }
    Fail("{% raw %} without {% endraw %}");
  }

  // Reads the tokens inside {{ }} or {% %}.
  void Tag(char type) {
    const bool block = type == '%';
    const LineSpace space = block ? LineSpace::kDropped : LineSpace::kKept;
    std::string open;  // closing brackets that are still expected
    while (at_ < text_.size()) {
      if (open.empty()) {
        if (const size_t length = EndLength(at_, block ? "%}" : "}}", space)) {
          Add(block ? TokenKind::kBlockEnd : TokenKind::kVariableEnd);
          return EndTag(length);
        }
      }
      const size_t spaces = SkipSpaces(at_);
      if (spaces > at_) {
        MoveTo(spaces);
      } else if (!Number() && !Name() && !String()) {
        Operator(open);
      }
    }
    Fail(block ? "a tag without its end %}" : "a tag without its end }}");
  }

  // Returns the end of the digits at `at`, which may hold single underscores; `at` without digits.
  size_t Digits(size_t at) const {
    size_t end = at;
    while (end < text_.size() &&
           (IsDigit(text_[end]) || (text_[end] == '_' && end > at && end + 1 < text_.size() &&
                                    IsDigit(text_[end - 1]) && IsDigit(text_[end + 1])))) {
      ++end;
    }
    return end;
  }

  bool Number() {
    if (!IsDigit(text_[at_])) return false;
    const bool after_dot = at_ > 0 && text_[at_ - 1] == '.';
    const size_t whole = Digits(at_);
    size_t end = whole;
    if (!after_dot) {
      if (end + 1 < text_.size() && text_[end] == '.' && IsDigit(text_[end + 1])) {
        end = Digits(end + 1);
      }
      if (end < text_.size() && (text_[end] == 'e' || text_[end] == 'E')) {
        size_t exponent = end + 1;
        if (exponent < text_.size() && (text_[exponent] == '+' || text_[exponent] == '-')) {
          ++exponent;
        }
        const size_t exponent_end = Digits(exponent);
        if (exponent_end > exponent) end = exponent_end;
      }
    }
    if (end > whole) {
      std::string digits(text_.substr(at_, end - at_));
      std::erase(digits, '_');
      Add(TokenKind::kFloat);
      tokens_.back().number = std::strtod(digits.c_str(), nullptr);
      MoveTo(end);
    } else {
      Integer(whole);
    }
    return true;
  }

  void Integer(size_t end) {
    int base = 10;
    size_t begin = at_;
    if (text_[at_] == '0' && at_ + 1 < text_.size()) {
      const char mark = static_cast<char>(text_[at_ + 1] | 0x20);
      base = mark == 'x' ? 16 : mark == 'o' ? 8 : mark == 'b' ? 2 : 10;
    }
    if (base != 10) {
      begin += 2;
      end = begin;
      while (end < text_.size() && (u_isalnum(text_[end]) || text_[end] == '_')) ++end;
    } else if (text_[at_] == '0' && end > at_ + 1) {
      if (text_.substr(at_, end - at_).find_first_not_of("0_") != std::string_view::npos) {
        Fail("a number that begins with 0");
      }
    }
    std::string digits(text_.substr(begin, end - begin));
    std::erase(digits, '_');
    int64_t value = 0;
    const auto [stop, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
    if (error == std::errc::result_out_of_range) Fail("an integer of more than 64 bits");
    if (error != std::errc() || stop != digits.data() + digits.size()) Fail("a malformed number");
    Add(TokenKind::kInteger);
    tokens_.back().integer = value;
    MoveTo(end);
  }

  bool Name() {
    size_t end = at_;
    while (end < text_.size()) {
      uint64_t next = end;
      const auto c = static_cast<UChar32>(NextCodePoint(text_, next));
      const bool fits =
          c == '_' || (end == at_ ? u_isIDStart(c) : (u_isIDPart(c) && !u_isIDIgnorable(c)));
      if (!fits) break;
      end = next;
    }
    if (end == at_) return false;
    Add(TokenKind::kName, std::string(text_.substr(at_, end - at_)));
    MoveTo(end);
    return true;
  }

  bool String() {
    const char quote = text_[at_];
    if (quote != '"' && quote != '\'') return false;
    size_t end = at_ + 1;
    while (end < text_.size() && text_[end] != quote) end += text_[end] == '\\' ? 2 : 1;
    if (end >= text_.size()) Fail("a text without its closing quote");
    try {
      Add(TokenKind::kString, ResolveEscapes(text_.substr(at_ + 1, end - at_ - 1)));
    } catch (const Error& error) {
      Fail(error.what());
    }
    MoveTo(end + 1);
    return true;
  }

  void Operator(std::string& open) {
    for (const std::string_view name : kOperators) {
      if (!Sees(name)) continue;
      const char bracket = name[0];
      if (bracket == '(') open.push_back(')');
      if (bracket == '[') open.push_back(']');
      if (bracket == '{') open.push_back('}');
      if (bracket == ')' || bracket == ']' || bracket == '}') {
        if (open.empty()) Fail(fmt::format("unexpected '{}'", bracket));
        if (open.back() != bracket) {
          Fail(fmt::format("unexpected '{}', expected '{}'", bracket, open.back()));
        }
        open.pop_back();
      }
      Add(TokenKind::kOperator, std::string(name));
      return MoveTo(at_ + name.size());
    }
    uint64_t next = at_;
    NextCodePoint(text_, next);
    Fail(fmt::format("unexpected character '{}'", text_.substr(at_, next - at_)));
  }

  std::string source_;
  std::string_view text_;  // of source_
  size_t at_ = 0;
  int line_ = 1;
  bool line_starts_ = true;  // the text read last ended with a line end
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> Tokenize(std::string_view source) { return Lexer(source).Run(); }

}  // namespace tome::jinja
