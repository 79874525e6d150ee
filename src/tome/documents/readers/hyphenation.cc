#include "tome/documents/readers/hyphenation.h"

#include <algorithm>
#include <array>

#include "tome/documents/readers/page_lines.h"

namespace tome {
namespace {

constexpr std::string_view kSoftHyphen = "\xC2\xAD";
constexpr std::array<std::string_view, 3> kHyphens{"-", "\xE2\x80\x90", kSoftHyphen};

// Longer words are addresses and tables, and would only cost memory.
constexpr size_t kMaxWordBytes = 64;

// Returns true for letters of alphabets: ASCII letters, and characters outside ASCII except CJK and
// general punctuation.
bool IsLetter(char32_t c) {
  if (c < 0x80) return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  return (c >= 0xC0 && c < 0x2000) || (c >= 0x2C00 && c < 0x2E00);
}

bool IsLowerStart(std::string_view text) {
  const char32_t c = FirstCodePoint(text);
  return (c >= 'a' && c <= 'z') || (c >= 0xDF && IsLetter(c));
}

bool IsPunctuation(char c) {
  return c > 0 && c <= '~' && !(c >= '0' && c <= '9') && !IsLetter(static_cast<char32_t>(c));
}

std::string Folded(std::string_view word) {
  while (!word.empty() && IsPunctuation(word.front())) word.remove_prefix(1);
  while (!word.empty() && IsPunctuation(word.back())) word.remove_suffix(1);
  std::string folded(word);
  for (char& c : folded) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return folded;
}

// Returns the hyphen that ends the text; empty without one.
std::string_view EndHyphen(std::string_view text) {
  for (const std::string_view hyphen : kHyphens) {
    if (text.ends_with(hyphen)) return hyphen;
  }
  return {};
}

enum class Hyphen { kNone, kDrop, kKeep };

Hyphen Judge(const Vocabulary& vocabulary, std::string_view text, std::string_view next) {
  const std::string_view hyphen = EndHyphen(text);
  if (hyphen.empty() || next.empty()) return Hyphen::kNone;
  if (hyphen == kSoftHyphen) return Hyphen::kDrop;
  text.remove_suffix(hyphen.size());
  if (text.empty() || text.back() == ' ') return Hyphen::kNone;  // a dash
  const size_t space = text.find_last_of(" \t\n");
  const std::string_view stem = text.substr(space == std::string_view::npos ? 0 : space + 1);
  const std::string_view rest = next.substr(0, next.find_first_of(" \t\n"));
  if (rest == "and" || rest == "or" || rest == "und") return Hyphen::kNone;  // "pre- and postwar"
  const bool address = stem.find_first_of("/_@.=:0123456789") != std::string_view::npos;
  if (address || !IsLetter(LastCodePoint(stem)) || !IsLowerStart(rest)) return Hyphen::kKeep;
  const std::string joined = std::string(stem).append(rest);
  if (vocabulary.Contains(joined)) return Hyphen::kDrop;
  const std::string compound = std::string(stem).append("-").append(rest);
  if (vocabulary.Contains(compound)) return Hyphen::kKeep;
  return stem.find('-') == std::string_view::npos ? Hyphen::kDrop : Hyphen::kKeep;
}

}  // namespace

void Vocabulary::AddLine(std::string_view line) {
  const bool divided = !EndHyphen(line).empty();
  while (!line.empty()) {
    const size_t end = std::min(line.find(' '), line.size());
    const bool last = end == line.size();
    if (end > 0 && end <= kMaxWordBytes && !(last && divided)) {
      std::string word = Folded(line.substr(0, end));
      if (!word.empty()) words_.insert(std::move(word));
    }
    line.remove_prefix(std::min(end + 1, line.size()));
  }
}

bool Vocabulary::Contains(std::string_view word) const { return words_.contains(Folded(word)); }

std::string_view MendLineEnd(const Vocabulary& vocabulary, std::string_view next,
                             std::string& text) {
  if (text.empty() || next.empty()) return "";
  switch (Judge(vocabulary, text, next)) {
    case Hyphen::kDrop:
      text.resize(text.size() - EndHyphen(text).size());
      return "";
    case Hyphen::kKeep:
      return "";
    case Hyphen::kNone:
      break;
  }
  return Joint(text, next, 1);
}

void JoinLine(const Vocabulary& vocabulary, std::string_view next, std::string& text) {
  const std::string_view joint = MendLineEnd(vocabulary, next, text);
  text += joint;
  text += next;
}

}  // namespace tome
